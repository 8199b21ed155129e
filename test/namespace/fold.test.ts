import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlobEvent } from '../../namespace/change.ts';
import { decide } from '../../namespace/decide.ts';
import type { Entry } from '../../namespace/entry.ts';
import { foldPage, isPlain, isRoutine, meet } from '../../namespace/fold.ts';
import { compareKeys } from '../../namespace/key.ts';
import { afterEvent } from '../../namespace/next-entry.ts';
import {
  BLOB_RULE,
  container,
  entry,
  event,
  key,
  LIVING,
  MARGIN,
  NOW,
  POLICY,
  policy,
  sequencer,
} from './arbitraries.ts';

/** Pages such as sources send: mostly what folds, with something odd now and then. */
const page = fc.oneof(
  fc.array(event, { minLength: 1, maxLength: 5 }),
  fc
    .array(
      fc.record({
        event,
        number: fc.integer({ min: 4, max: 12 }),
        effect: fc.constantFrom<BlobEvent['effect'][]>('put', 'delete'),
        odd: fc.integer({ max: 9, min: 0 }),
      }),
      { minLength: 1, maxLength: 5 },
    )
    .map((list) =>
      list.map(({ event: drawn, number, effect, odd }): BlobEvent => {
        if (odd === 0) return drawn;
        const told = effect === 'put' ? { etag: `0x${number}`, length: number } : undefined;
        const time = NOW + number * 6_000;
        return { ...drawn, effect, attributes: told, sequencer: sequencer(number), time, epoch: undefined };
      }),
    ),
);

function applied(before: Entry | undefined, events: readonly BlobEvent[], ...rest: DecideRest) {
  let row = before;
  let count = 0;
  for (const told of events) {
    const decision = decide(row, told, rest[0], BLOB_RULE, rest[1], 7);
    if (decision.outcome === 'apply' || decision.outcome === 'look') {
      row = decision.next;
      count++;
    } else expect(decision).toEqual({ outcome: 'ignore', reason: 'superseded' });
  }
  return { row, count };
}
type DecideRest = [Parameters<typeof decide>[2], Parameters<typeof decide>[4]];

describe('foldPage', () => {
  it('groups by key, in key order, and keeps every event in arrival order', () => {
    const scattered = fc.array(fc.tuple(event, key), { maxLength: 30 });
    fc.assert(
      fc.property(scattered, (pairs) => {
        const events = pairs.map(([told, at]) => ({ ...told, ...at }));
        const groups = foldPage(events);
        const keys = groups.map(({ container: inside, name }) => ({ container: inside, name }));
        expect(keys).toEqual(keys.toSorted(compareKeys));
        expect(new Set(keys.map((at) => JSON.stringify(at))).size).toBe(keys.length);
        for (const group of groups) {
          expect(group.events).toEqual(events.filter((told) => compareKeys(told, group) === 0));
        }
        expect(groups.reduce((sum, group) => sum + group.events.length, 0)).toBe(events.length);
      }),
    );
  });

  it('1: a winner that stands for its group ends as deciding one by one does', () => {
    const reached = { apply: 0, superseded: 0, odd: 0 };
    const plain = entry.map(
      (row): Entry => ({ ...row, sequencer: row.sequencer ?? sequencer(1), look: undefined, lookDue: false }),
    );
    const state = fc.oneof({ weight: 3, arbitrary: fc.constant(LIVING) }, { weight: 1, arbitrary: container });
    const clock = fc.oneof({ weight: 3, arbitrary: fc.constant(POLICY) }, { weight: 1, arbitrary: policy });
    fc.assert(
      fc.property(fc.option(plain, { nil: undefined, freq: 4 }), page, state, clock, (before, events, state, clock) => {
        const [group] = foldPage(events);
        if (group === undefined || !isRoutine(group, state, clock)) return;
        if (before !== undefined && !isPlain(before)) return;
        const outcome = meet(group, before, MARGIN);
        reached[outcome] += group.events.length > 1 ? 1 : 0;
        if (outcome === 'odd') return;

        const { row, count } = applied(before, events, state, clock);
        if (outcome === 'superseded') {
          expect(row).toEqual(before);
          return;
        }
        if (group.winner === undefined) throw new Error('no winner');
        expect(count).toBe(group.newerOnArrival);
        expect({ ...row, revision: 0 }).toEqual({ ...afterEvent(before, group.winner, 7), revision: 0 });
      }),
      { numRuns: 8_000 },
    );
    expect(reached.apply).toBeGreaterThan(300);
    expect(reached.superseded).toBeGreaterThan(20);
  });

  it('leaves to be decided one by one what is odd', () => {
    const put = (number: number, told: Partial<BlobEvent>): BlobEvent => ({
      kind: 'event',
      container: 'lake',
      name: 'a',
      source: 'feed',
      effect: 'put',
      attributes: { etag: `0x${number}`, length: 1 },
      sequencer: sequencer(number),
      epoch: undefined,
      time: NOW + number,
      eventId: 'e',
      api: '',
      ...told,
    });
    const winner = (...events: BlobEvent[]) => foldPage(events)[0]?.winner;
    expect(winner(put(1, {}), put(2, {}))).toEqual(put(2, {}));
    expect(winner(put(2, {}), put(1, {}))).toEqual(put(2, {}));
    expect(winner(put(1, { sequencer: undefined }))).toBeUndefined();
    expect(winner(put(1, { effect: 'touch' }))).toBeUndefined();
    expect(winner(put(1, {}), put(1, { attributes: { etag: '0xF', length: 1 } }))).toBeUndefined();
    expect(winner(put(1, {}), put(2, { time: NOW }))).toBeUndefined();
    expect(winner(put(1, {}), put(2, { attributes: { etag: '0x1', length: 1 } }))).toBeUndefined();
  });
});
