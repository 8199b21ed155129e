import { IsthmusError } from '../../schema/errors.ts';
import { isStorable } from '../../schema/index/storable.ts';
import type { BlobPage, BlobSource } from '../../schema/ports/blob-source.ts';
import type { ListingPart } from './listing-parts.ts';

/** Prefixes below a part that are to be parts of their own, or that there are too many of them to list each apart. */
export type Below = readonly string[] | 'too-many';

/**
 * Lists one part, page by page. It is listed flat, or, where it is longer than a page and lanes would stand idle, by its
 * directory: the names right in it here, what is further below as parts of their own. Each name is in one of them,
 * whatever the order in which the service lists.
 *
 * @param split whether lanes would stand idle.
 * @returns what is left to be listed. Where that is `too-many`, the pages so far are to be forgotten and the part
 * listed flat.
 */
export async function* listPart(
  blobs: BlobSource,
  { container, prefix, how }: ListingPart,
  { split, mostBelow }: { readonly split: boolean; readonly mostBelow: number },
  signal: AbortSignal,
): AsyncGenerator<BlobPage, Below> {
  if (how === 'flat' || (how === 'any' && !split)) {
    yield* blobs.listBlobs(container, prefix, signal);
    return [];
  }
  if (how === 'any') {
    const short = await onlyPage(blobs.listBlobs(container, prefix, signal));
    if (short !== undefined) {
      yield short;
      return [];
    }
  }
  const below = new Set<string>();
  for await (const page of blobs.listDirectory(container, prefix, signal)) {
    for (const each of page.prefixes) {
      if (each.length <= prefix.length || !each.startsWith(prefix)) {
        throw new IsthmusError('ISTHMUS_SOURCE_UNAVAILABLE', `list ${container}/${prefix}: it told of ${each}`);
      }
      if (!isStorable(each)) return 'too-many';
      below.add(each);
    }
    if (below.size > mostBelow) return 'too-many';
    yield page;
  }
  return [...below];
}

/** @returns undefined where there is a second page. */
async function onlyPage(pages: AsyncIterable<BlobPage>): Promise<BlobPage | undefined> {
  let first: BlobPage | undefined;
  for await (const page of pages) {
    if (first !== undefined) return undefined;
    first = page;
  }
  return first;
}
