import type { Timestamp } from '../../../namespace/entry.ts';
import type { FeedStore } from '../../../schema/ports/feed-store.ts';
import type { Broken } from '../walk/broken.ts';
import { type ListedSegment, listSegments } from '../walk/segments.ts';

const BEFORE = 2;
const AFTER = 3;

/** A feed's segments, counted, with those around one of them. */
export interface SegmentsAround {
  readonly segments: number;
  /** None where nothing has been read, or where what was read is gone. */
  readonly ahead: number | undefined;
  readonly notYet: number;
  readonly oldest: Timestamp | undefined;
  readonly newest: Timestamp | undefined;
  readonly around: readonly ListedSegment[];
  readonly broken: readonly Broken[];
}

/** The segments around the one that is being read; the newest ones where none is, or where it is gone. */
export async function segmentsAround(
  store: FeedStore,
  reading: string | undefined,
  signal: AbortSignal,
): Promise<SegmentsAround> {
  let segments = 0;
  let notYet = 0;
  let oldest: Timestamp | undefined;
  let newest: Timestamp | undefined;
  let at: number | undefined;
  let around: ListedSegment[] = [];
  const broken: Broken[] = [];
  for await (const met of listSegments(store, signal)) {
    if (met.kind === 'broken') broken.push(met);
    else if (met.kind === 'not-yet') notYet = met.segments;
    else {
      oldest ??= met.begin;
      newest = met.begin;
      segments++;
      if (met.path === reading) at = segments;
      // A window that slides until the segment is met, and then only fills.
      if (at === undefined) around = [...around, met].slice(-BEFORE - 1);
      else if (segments <= at + AFTER) around = [...around, met].slice(-BEFORE - 1 - (segments - at));
    }
  }
  return { segments, ahead: at === undefined ? undefined : segments - at, notYet, oldest, newest, around, broken };
}
