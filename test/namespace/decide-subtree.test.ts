import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlobEvent, SubtreeGone } from '../../namespace/change.ts';
import type { ContainerState } from '../../namespace/container.ts';
import { decide } from '../../namespace/decide.ts';
import { decideSubtree, directoriesOf, underGoneDirectory } from '../../namespace/decide-subtree.ts';
import type { Entry } from '../../namespace/entry.ts';
import { isLive } from '../../namespace/liveness.ts';
import {
  BLOB_RULE,
  container,
  entry,
  event,
  KEY,
  LIVING,
  MARGIN,
  NOW,
  POLICY,
  sequencer,
  time,
  VAST_RULE,
} from './arbitraries.ts';

const gone: fc.Arbitrary<SubtreeGone> = time.map((at) => ({
  container: KEY.container,
  directory: 'a',
  time: at,
  eventId: 'gone',
}));
const GONE: SubtreeGone = { container: KEY.container, directory: 'a', time: NOW + 100_000, eventId: 'gone' };

const EVENT = { kind: 'event', source: 'trigger', ...KEY, epoch: undefined, api: '' } as const;

function version(etag: string | undefined, order: number) {
  const attributes = etag === undefined ? undefined : { etag, length: 1 };
  const effect = etag === undefined ? ('delete' as const) : ('put' as const);
  return { effect, attributes, sequencer: sequencer(order), eventId: `e${order}` };
}

function permutations<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length <= 1) return [items];
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}

describe('the end of a directory', () => {
  it('is a look that found nothing to what is plainly older, and the reason for one to all else that may live', () => {
    fc.assert(
      fc.property(entry, gone, container, (before, told, state) => {
        const decision = decideSubtree(before, told, state, BLOB_RULE, POLICY, 7);
        if (decision.outcome === 'apply') {
          expect(before.live && before.look === undefined && !before.lookDue).toBe(true);
          expect(before.seen).toBeLessThan(told.time - MARGIN);
          expect(decision.next).toEqual({
            ...before,
            live: false,
            attributes: undefined,
            seen: told.time,
            look: told.time,
            revision: before.revision + 1,
            provenance: { source: 'trigger', eventId: 'gone', time: told.time, ruleRevision: 7 },
          });
        } else if (decision.outcome === 'look') {
          expect(decision.next).toEqual({ ...before, lookDue: true, revision: before.revision + 1 });
        } else if (decision.outcome === 'ignore' && decision.reason !== 'dead-epoch') {
          expect(before.lookDue || isLive(before, state, MARGIN)).toBe(false);
        }
      }),
      { numRuns: 10_000 },
    );
  });

  it('leaves a tombstone and a name that is not known as they are, unless a look is due there, which may have asked before', () => {
    fc.assert(
      fc.property(entry, gone, (row, told) => {
        const tombstone = { ...row, live: false, attributes: undefined };
        const decision = decideSubtree(tombstone, told, LIVING, BLOB_RULE, POLICY, 7);
        expect(decision.outcome).toBe(row.lookDue ? 'look' : 'ignore');
        expect(decideSubtree(undefined, told, LIVING, BLOB_RULE, POLICY, 7).outcome).toBe('ignore');
      }),
    );
  });

  it('5: is refused under a prefix that VAST rules, and is nothing where no rule is', () => {
    fc.assert(
      fc.property(entry, gone, container, (before, told, state) => {
        expect(decideSubtree(before, told, state, VAST_RULE, POLICY, 7).outcome).toBe('refuse');
        expect(decideSubtree(before, told, state, undefined, POLICY, 7)).toEqual({
          outcome: 'ignore',
          reason: 'no-rule',
        });
      }),
    );
  });

  it('that is told of after an inventory has been is a reason to look, and ends nothing', () => {
    fc.assert(
      fc.property(entry, gone, time, (before, told, horizon) => {
        const decision = decideSubtree(before, told, LIVING, BLOB_RULE, { ...POLICY, horizon }, 7);
        if (told.time < horizon + MARGIN) expect(decision.outcome).not.toBe('apply');
        else expect(decision).toEqual(decideSubtree(before, told, LIVING, BLOB_RULE, POLICY, 7));
      }),
    );
  });

  it('of an incarnation of the container that is gone says nothing of the present one', () => {
    const state = { newestEpoch: undefined, goneAt: GONE.time + 2 * MARGIN };
    fc.assert(
      fc.property(entry, (before) => {
        expect(decideSubtree(before, GONE, state, BLOB_RULE, POLICY, 7)).toEqual({
          outcome: 'ignore',
          reason: 'dead-epoch',
        });
      }),
    );
  });

  it('2: is not undone by what is told late of before, whether the name was known or not', () => {
    fc.assert(
      fc.property(fc.option(entry, { nil: undefined }), event, gone, (before, late, told) => {
        const state = underGoneDirectory(LIVING, told.time);
        const old = { ...late, epoch: undefined, time: told.time - MARGIN - 1 - (late.time - NOW) };
        const first = before && decideSubtree(before, told, LIVING, BLOB_RULE, POLICY, 1);
        const row = first?.outcome === 'apply' || first?.outcome === 'look' ? first.next : before;
        const decision = decide(row, old, state, BLOB_RULE, POLICY, 1);
        expect(decision).toEqual({ outcome: 'ignore', reason: 'dead-epoch' });
      }),
      { numRuns: 5_000 },
    );
  });

  it('1: ends as the source, whatever comes of the name before it, with it and after it, in every order', () => {
    // Written, written again and deleted before; the directory renamed away; written anew, near it and long after.
    const put = (etag: string, order: number, at: number): BlobEvent => ({
      ...EVENT,
      ...version(etag, order),
      time: GONE.time + at,
    });
    const del = (order: number, at: number): BlobEvent => ({
      ...EVENT,
      ...version(undefined, order),
      time: GONE.time + at,
    });
    const past = [put('0xA', 1, -90_000), put('0xB', 2, -60_000)];
    const histories: readonly { readonly told: readonly BlobEvent[]; readonly truth: string | undefined }[] = [
      { told: past, truth: undefined },
      { told: [...past, del(3, -30_000)], truth: undefined },
      { told: [...past, put('0xC', 3, -5_000)], truth: undefined },
      { told: [...past, put('0xC', 3, 5_000)], truth: '0xC' },
      { told: [...past, put('0xC', 3, 60_000)], truth: '0xC' },
      { told: [...past, put('0xC', 3, 60_000), del(4, 90_000)], truth: undefined },
      { told: [...past, put('0xC', 3, 5_000), put('0xD', 4, 90_000)], truth: '0xD' },
    ];
    for (const { told, truth } of histories) {
      for (const order of permutations([...told, GONE])) {
        let row: Entry | undefined;
        let state: ContainerState = LIVING;
        for (const each of [...order, ...order]) {
          if ('directory' in each) state = underGoneDirectory(LIVING, each.time);
          const decision =
            'directory' in each
              ? decideSubtree(row, each, LIVING, BLOB_RULE, POLICY, 1)
              : decide(row, each, state, BLOB_RULE, POLICY, 1);
          if (decision.outcome === 'apply' || decision.outcome === 'look') row = decision.next;
        }
        if (row?.lookDue) {
          const found = truth === undefined ? undefined : { etag: truth, length: 1 };
          const asked = { time: GONE.time + 200_000, entryRevision: row.revision, eventId: 'look' };
          const answer = decide(row, { kind: 'look', ...KEY, found, ...asked }, LIVING, BLOB_RULE, POLICY, 1);
          if (answer.outcome === 'apply') row = answer.next;
        }
        expect([order.map((each) => each.eventId), row?.attributes?.etag]).toEqual([expect.anything(), truth]);
      }
    }
  });

  it('concerns a name through each of the directories that it lies in', () => {
    expect(directoriesOf('a/b/c')).toEqual(['a', 'a/b']);
    expect(directoriesOf('a')).toEqual([]);
    expect(directoriesOf('/a//b/')).toEqual(['/a', '/a/', '/a//b']);
    expect(underGoneDirectory(LIVING, undefined)).toBe(LIVING);
    const later = { newestEpoch: undefined, goneAt: NOW };
    expect(underGoneDirectory(later, NOW - 1)).toBe(later);
  });
});
