import type { BlobPage, BlobSource } from '../../schema/ports/blob-source.ts';
import { includes, type KeySet } from '../scope/key-set.ts';
import { namePrefixes } from './listing-prefixes.ts';

/** Lists the blobs of one container that are in scope, page by page; pages may be empty. */
export async function* listContainer(
  blobs: BlobSource,
  container: string,
  scope: { readonly prefixes: readonly string[]; readonly keys: KeySet },
  signal: AbortSignal,
): AsyncGenerator<BlobPage> {
  for (const prefix of namePrefixes(scope.prefixes, container)) {
    for await (const page of blobs.listBlobs(container, prefix, signal)) {
      signal.throwIfAborted();
      yield { ...page, blobs: page.blobs.filter(({ name }) => includes(scope.keys, { container, name })) };
    }
  }
}

/** A name that nobody gives to a blob. */
const NOBODY = '.isthmus-is-the-container-there';

/** Asks the container itself, by a HEAD below it. @returns when it was gone, by the server's clock; undefined where it is there. */
export async function containerGoneAt(
  blobs: BlobSource,
  container: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const answer = await blobs.look({ container, name: NOBODY }, signal);
  return answer.kind === 'container-gone' ? answer.time : undefined;
}
