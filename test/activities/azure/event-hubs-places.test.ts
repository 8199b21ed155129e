import { describe, expect, it } from 'vitest';
import type { PartitionHead } from '../../../activities/azure/event-hubs-backlog.ts';
import { isStrange } from '../../../activities/azure/event-hubs-places.ts';

const MADE = 1_000;
const PLACE = { offset: '700', sequence: 7, enqueuedAt: 5_000 };
const head = (last: number, more: Partial<PartitionHead> = {}): PartitionHead => ({
  ...{ partition: '0', begin: 0, last, lastAt: 5_000 + 100 * (last - 7), lastOffset: String(last * 100) },
  ...{ isEmpty: last < 0, ...more },
});

describe('the place of a partition', () => {
  it.each<readonly [string, PartitionHead]>([
    ['its end', head(7)],
    ['before its end', head(8)],
    [
      'its end, and retention has removed everything',
      head(7, { isEmpty: true, begin: 8, lastOffset: '-1', lastAt: 0 }),
    ],
    ['before what is left of it', head(90, { begin: 50 })],
    ['its end, whose offset is written in another way', head(7, { lastOffset: '0:700' })],
    ['before an end whose offset is written in another way', head(9, { lastOffset: '0:1' })],
  ])('is of the hub where it is %s', (_what, at) => {
    expect(isStrange(PLACE, at, MADE)).toBe(false);
  });

  it.each<readonly [string, PartitionHead, number]>([
    ['it is behind the last event', head(6), MADE],
    ['nothing was ever in the partition', head(-1, { lastAt: 0, lastOffset: '-1' }), MADE],
    ['its event was enqueued before the hub was made', head(90), 5_001],
    [
      'the last event has its number, and neither its offset nor its time',
      head(7, { lastOffset: '701', lastAt: 9_000 }),
      MADE,
    ],
    ['its offset is behind that of a later event', head(8, { lastOffset: '600' }), MADE],
  ])('is of another hub where %s', (_what, at, madeAt) => {
    expect(isStrange(PLACE, at, madeAt)).toBe(true);
  });
});
