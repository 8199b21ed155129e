/** A baseline: the worker's own client lists so many blobs, page by page, and does nothing with them. */

import { type BenchPlaces, benchServices } from '../bench-services.ts';
import { argumentOf, say } from '../child.ts';

export interface ListingFigures {
  readonly rows: number;
  readonly seconds: number;
}

const { most, ...places } = argumentOf<BenchPlaces & { readonly most: number }>();
const { blobs, index } = await benchServices(places);
const { signal } = new AbortController();

async function list(): Promise<number> {
  let rows = 0;
  for await (const { containers } of blobs.listContainers(signal)) {
    for (const container of containers) {
      for await (const page of blobs.listBlobs(container, '', signal)) {
        rows += page.blobs.length;
        if (rows >= most) return rows;
      }
    }
  }
  return rows;
}

const began = performance.now();
const figures: ListingFigures = { rows: await list(), seconds: (performance.now() - began) / 1_000 };
say(figures);
await index.close();
process.exit(0);
