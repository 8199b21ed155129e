import type { BlobPage, BlobSource } from '../../schema/ports/blob-source.ts';
import { type Below, listPart } from './list-part.ts';
import type { ListingPart } from './listing-parts.ts';

export interface Lanes {
  /** Parts that are listed at once. */
  readonly atOnce: number;
  /** A directory with more directories than this is listed flat. */
  readonly mostBelow: number;
  /** A part of so many pages and more is begun anew, split, where lanes stand idle for want of parts. */
  readonly longPages: number;
}

export const DEFAULT_LANES: Lanes = { atOnce: 8, mostBelow: 2_000, longPages: 20 };

/** What parts there are, and what becomes of them. Parts are told of side by side, each in order. */
export interface PartKeeper {
  /** Parts that wait and are not among the taken ones, the next one first. */
  waiting(taken: readonly number[], limit: number): Promise<readonly ListingPart[]>;
  page(part: ListingPart, page: BlobPage): Promise<void>;
  done(part: ListingPart, below: readonly string[]): Promise<void>;
  /** What was kept of it goes, and it is listed anew, like this. */
  forget(part: ListingPart, how: ListingPart['how']): Promise<void>;
  /** @returns whether that ends the part, and not the listing. */
  failed(part: ListingPart, error: unknown): Promise<boolean>;
}

interface Lane {
  readonly part: ListingPart;
  pages: number;
  abandoned: boolean;
}

/**
 * Lists the parts that wait, several at once, and those that they are split into, until none is left. Splitting follows
 * the lanes that would stand idle, so that many small directories are no more requests than they must be: a part is
 * listed by directory where few others wait, and a long one that was not is begun anew where lanes have nothing to do.
 */
export async function listParts(
  blobs: BlobSource,
  keeper: PartKeeper,
  { atOnce, mostBelow, longPages }: Lanes,
  signal: AbortSignal,
): Promise<void> {
  const failing = new AbortController();
  const stop = AbortSignal.any([signal, failing.signal]);
  const lanes = new Map<number, Lane>();
  const ends = new Set<Promise<void>>();
  let news = Promise.withResolvers<void>();

  const keepPages = async (lane: Lane, split: boolean): Promise<Below | 'abandoned'> => {
    const listing = listPart(blobs, lane.part, { split, mostBelow }, stop);
    for (;;) {
      const { done, value } = await listing.next();
      if (done) return value;
      stop.throwIfAborted();
      await keeper.page(lane.part, value);
      lane.pages++;
      news.resolve();
      if (!lane.abandoned) continue;
      await listing.return([]);
      return 'abandoned';
    }
  };
  const list = async (lane: Lane, split: boolean): Promise<void> => {
    const { part } = lane;
    try {
      const below = await keepPages(lane, split).catch(async (error: unknown): Promise<Below> => {
        if (stop.aborted || !(await keeper.failed(part, error))) throw error;
        return [];
      });
      if (below === 'abandoned') await keeper.forget(part, 'split');
      else if (below === 'too-many') await keeper.forget(part, 'flat');
      else await keeper.done(part, below);
    } catch (error) {
      failing.abort(error);
    } finally {
      lanes.delete(part.part);
      news.resolve();
    }
  };

  try {
    while (!stop.aborted) {
      news = Promise.withResolvers();
      const room = atOnce - lanes.size;
      const idle = lanes.size === 0;
      const waiting = room === 0 ? [] : await keeper.waiting([...lanes.keys()], room + atOnce);
      for (const [at, part] of waiting.slice(0, room).entries()) {
        const split = waiting.length - at <= atOnce;
        const lane = { part, pages: 0, abandoned: false };
        lanes.set(part.part, lane);
        const end = list(lane, split).finally(() => ends.delete(end));
        ends.add(end);
      }
      if (lanes.size === 0) {
        if (idle) break;
        // A lane ended while that was asked: what its part was split into may not be told of yet.
        continue;
      }
      if (lanes.size < atOnce) abandonLongest([...lanes.values()], longPages);
      await news.promise;
    }
  } catch (error) {
    failing.abort(error);
  }
  await Promise.all(ends);
  stop.throwIfAborted();
}

/** One at a time: what it is split into may keep all lanes busy. */
function abandonLongest(lanes: readonly Lane[], longPages: number): void {
  if (lanes.some(({ abandoned }) => abandoned)) return;
  const [longest] = lanes
    .filter(({ part, pages }) => part.how === 'any' && pages >= longPages)
    .toSorted((a, b) => b.pages - a.pages);
  if (longest !== undefined) longest.abandoned = true;
}
