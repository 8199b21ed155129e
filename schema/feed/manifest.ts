import { z } from 'zod';
import { parseFeedJson } from './feed-json.ts';

const manifest = z.object({ status: z.string().default(''), chunkFilePaths: z.array(z.string()) });

/** One segment: a window of time, its shards, and whether it is still written to. */
export interface Manifest {
  /** The service has said that nothing more comes. Any other word (`Publishing`, `Not Finalized`) means not yet. */
  readonly finalised: boolean;
  /** Path prefixes of the shards, inside the container. Their number is what is here, never `numShards`. */
  readonly shards: readonly string[];
}

export function parseManifest(path: string, text: string): Manifest {
  const { status, chunkFilePaths } = parseFeedJson(path, text, manifest);
  return { finalised: status.toLowerCase() === 'finalized', shards: chunkFilePaths.map(insideContainer) };
}

/** Manifests name their shards with the container in front. */
function insideContainer(path: string): string {
  const inside = path.replace(/^\/?\$blobchangefeed\//, '');
  return inside.endsWith('/') ? inside : `${inside}/`;
}
