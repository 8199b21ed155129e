import { z } from 'zod';
import { FeedCorruptError } from './feed-error.ts';
import { parseFeedJson } from './feed-json.ts';

const manifest = z.object({ status: z.string().default(''), chunkFilePaths: z.array(z.string()) });

/** One segment: a window of time, its shards, and whether it is still written to. */
export interface Manifest {
  /** The service has said that nothing more comes. Any other word (`Publishing`, `Not Finalized`) means not yet. */
  readonly finalised: boolean;
  /** Path prefixes of the shards, inside the container. Their number is what is here, never `numShards`. */
  readonly shards: readonly string[];
}

/** @throws FeedCorruptError where it is no manifest, or names a shard that cannot be in the container. */
export function parseManifest(path: string, text: string): Manifest {
  const { status, chunkFilePaths } = parseFeedJson(path, text, manifest);
  const outside = chunkFilePaths.find(leadsOutside);
  if (outside !== undefined) {
    const why = `chunkFilePaths names ${JSON.stringify(outside)}, which is no path inside the container`;
    throw new FeedCorruptError(path, 0, why);
  }
  return { finalised: status.toLowerCase() === 'finalized', shards: chunkFilePaths.map(insideContainer) };
}

/** What is left out with a manifest that cannot be read: a byte at least, since to leave out nothing is to leave out no manifest. */
export function lengthToSkip(text: string): number {
  return Math.max(1, Buffer.byteLength(text));
}

/** Manifests name their shards with the container in front. */
function insideContainer(path: string): string {
  const inside = path.replace(/^\/?\$blobchangefeed\//, '');
  return inside.endsWith('/') ? inside : `${inside}/`;
}

/** A copy in a folder would be read beside that folder; and no file can have a zero byte in its name. */
function leadsOutside(path: string): boolean {
  return path.includes('\0') || path.split('/').some((part) => part === '.' || part === '..');
}
