/**
 * The plain upsert of the rows that the feed makes, in the pages that the tail commits, and the same pages once more,
 * which then change nothing. Reading the feed and encoding the rows is done before the clock starts, a segment at a
 * time: only statements and commits are timed.
 */
import { AzureFeedStore } from '../../activities/azure/azure-feed-store.ts';
import { blobService } from '../../activities/azure/blob-service.ts';
import { FeedReader } from '../../activities/azure/feed-reader.ts';
import { ACCOUNT } from '../../infra/local/storage/account.ts';
import { openIndex } from '../../schema/index/database.ts';
import { transact } from '../../schema/index/transact.ts';
import type { BenchPlaces } from '../bench-services.ts';
import { argumentOf, say } from '../child.ts';
import { makeRawTable, type RawPage, rawPage } from './raw-table.ts';

interface RawArgument extends BenchPlaces {
  /** Connections at a time, each with pages of its own shards. */
  readonly lanes: number;
  readonly most: number;
}

export interface RawFigures extends Passed {
  readonly again: Passed;
}

interface Passed {
  readonly records: number;
  readonly seconds: number;
}

const { connectionString, url, lanes, most } = argumentOf<RawArgument>();
const index = openIndex(url);
await makeRawTable(index);
const store = new AzureFeedStore(blobService({ name: ACCOUNT, connectionString }));
const { signal } = new AbortController();
const containers = new Map<string, number>();

/** @returns also how many rows were made or changed. */
async function pass(newer: boolean): Promise<Passed & { readonly changed: number }> {
  let records = 0;
  let changed = 0;
  let ms = 0;
  for await (const segment of new FeedReader(store, { source: 'feed' }).segments(undefined, signal)) {
    const queues: RawPage[][] = Array.from({ length: lanes }, () => []);
    for (const [at, shard] of segment.shards.entries()) {
      for await (const { events } of shard.pages(signal)) queues[at % lanes]?.push(rawPage(events, containers, newer));
    }
    const began = performance.now();
    await Promise.all(
      queues.map(async (pages) => {
        for (const { statement } of pages) {
          const { numAffectedRows = 0n } = await transact(index, (tx) => statement.execute(tx));
          changed += Number(numAffectedRows);
        }
      }),
    );
    ms += performance.now() - began;
    records += queues.flat().reduce((sum, { rows }) => sum + rows, 0);
    if (records >= most) break;
  }
  return { records, changed, seconds: ms / 1000 };
}

const { changed, ...first } = await pass(false);
const { changed: changedAgain, ...again } = await pass(true);
if (changed === 0 || changedAgain > 0) {
  throw new Error(
    `The plain upsert changed ${changed} rows and, done once more, ${changedAgain}: it is to change none.`,
  );
}
const figures: RawFigures = { ...first, again };
say(figures);
await index.close();
process.exit(0);
