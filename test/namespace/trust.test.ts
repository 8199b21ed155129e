import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlobEvent } from '../../namespace/change.ts';
import { decide } from '../../namespace/decide.ts';
import type { Entry, Source } from '../../namespace/entry.ts';
import { believable, compareSources, isSameRequest } from '../../namespace/trust.ts';
import { BLOB_RULE, container, entry, event, LIVING, MARGIN, NOW, policy, sequencer } from './arbitraries.ts';

const TRIGGER_ID = '3626e710-c01e-005c-794a-92005606d96d';
const FEED_ID = '3626e710-c01e-005c-794a-92005606a1b2';

const put: BlobEvent = {
  kind: 'event',
  source: 'feed',
  effect: 'put',
  container: 'lake',
  name: 'a/b',
  attributes: { etag: '0xA', length: 1 },
  sequencer: sequencer(7),
  epoch: undefined,
  time: NOW,
  eventId: FEED_ID,
  api: 'PutBlob',
};

const made: Entry = {
  container: 'lake',
  name: 'a/b',
  live: true,
  attributes: put.attributes,
  sequencer: sequencer(7),
  epoch: undefined,
  seen: NOW,
  look: undefined,
  lookDue: false,
  revision: 1,
  provenance: { source: 'trigger', eventId: TRIGGER_ID, time: NOW, ruleRevision: 1 },
};

const by = (source: Source): Entry => ({ ...made, provenance: { ...made.provenance, source } });

describe('what trigger and feed say of one change', () => {
  it("is known by the request, however the two end the event's id", () => {
    expect(isSameRequest(TRIGGER_ID, '3626e710-c01e-005c-794a-920056000000')).toBe(true);
    expect(isSameRequest(TRIGGER_ID, '3626e710-c01e-005c-794a-92005706d96d')).toBe(false);
  });

  it.each<[string, Entry | undefined, BlobEvent, ReturnType<typeof compareSources>]>([
    ['the same', made, put, 'agreed'],
    ['two things', made, { ...put, sequencer: sequencer(8) }, 'mismatched'],
    ['two things, replayed', made, { ...put, source: 'replay', sequencer: sequencer(6) }, 'mismatched'],
    ['two things, the trigger last', by('feed'), { ...put, source: 'trigger', sequencer: sequencer(8) }, 'mismatched'],
    ['nothing, where there is no entry', undefined, put, undefined],
    ['nothing, where both are triggers', made, { ...put, source: 'trigger', sequencer: sequencer(8) }, undefined],
    ['nothing, where a look made the entry', by('look'), { ...put, sequencer: sequencer(8) }, undefined],
    ['nothing of two requests', made, { ...put, eventId: 'e', sequencer: sequencer(8) }, undefined],
    ['nothing, where one has no sequencer', { ...made, sequencer: undefined }, put, undefined],
    [
      'nothing, where they do not tell the same',
      made,
      { ...put, effect: 'delete', sequencer: sequencer(8) },
      undefined,
    ],
  ])('is %s', (_, before, told, accord) => {
    expect(compareSources(before, told)).toBe(accord);
  });
});

describe('where triggers are distrusted', () => {
  const distrusting = policy.map((clock) => ({ ...clock, triggersTrusted: false }));
  const anyEntry = fc
    .record({ row: entry, source: fc.constantFrom<Source[]>('trigger', 'feed', 'replay', 'look', 'listing', 'sweep') })
    .map(({ row, source }): Entry => ({ ...row, provenance: { ...row.provenance, source } }));

  it('1: none is applied, whatever it says', () => {
    fc.assert(
      fc.property(fc.option(anyEntry, { nil: undefined }), event, container, distrusting, (row, told, state, clock) => {
        const decision = decide(row, { ...told, source: 'trigger' }, state, BLOB_RULE, clock, 1);
        expect(decision).toEqual({ outcome: 'ignore', reason: 'distrusted' });
      }),
    );
  });

  it("1: no sequencer but the feed's own keeps a record of the feed from being applied or looked at", () => {
    fc.assert(
      fc.property(anyEntry, event, distrusting, (row, told, clock) => {
        const record: BlobEvent = {
          ...told,
          source: 'feed',
          epoch: undefined,
          sequencer: told.sequencer ?? sequencer(1),
        };
        const decision = decide({ ...row, epoch: undefined }, record, LIVING, BLOB_RULE, clock, 1);
        if (decision.outcome !== 'ignore' || decision.reason !== 'superseded') return;
        expect(['feed', 'replay']).toContain(row.provenance.source);
      }),
      { numRuns: 5_000 },
    );
  });

  it('2: a record that is plainly older than what a trigger told does not undo it', () => {
    const older: BlobEvent = { ...put, time: NOW - MARGIN - 1, sequencer: sequencer(900), eventId: 'older' };
    const clock = { margin: MARGIN, horizon: undefined, looks: true, triggersTrusted: false };
    for (const live of [true, false]) {
      const row = { ...made, live, attributes: live ? made.attributes : undefined };
      expect(decide(row, older, LIVING, BLOB_RULE, clock, 1)).toEqual({ outcome: 'ignore', reason: 'covered-by-look' });
    }
    const near = decide(made, { ...older, time: NOW - 1 }, LIVING, BLOB_RULE, clock, 1);
    expect(near).toMatchObject({ outcome: 'look', reason: 'near-look', next: { sequencer: made.sequencer } });
    const newer = { ...older, time: NOW + MARGIN + 1, sequencer: sequencer(1) };
    expect(decide(made, newer, LIVING, BLOB_RULE, clock, 1)).toMatchObject({ outcome: 'apply' });
  });

  it('1: the record of the very change that a trigger told takes its place, without a look', () => {
    const clock = { margin: MARGIN, horizon: NOW + 1e9, looks: true, triggersTrusted: false };
    const decision = decide(made, { ...put, sequencer: sequencer(3) }, LIVING, BLOB_RULE, clock, 1);
    expect(decision).toMatchObject({
      outcome: 'apply',
      next: { sequencer: sequencer(3), look: undefined, provenance: { source: 'feed' } },
    });
    const next = decision.outcome === 'apply' ? decision.next : made;
    expect(believable(next, clock)).toBe(next);
    expect(decide(next, { ...put, sequencer: sequencer(3) }, LIVING, BLOB_RULE, clock, 1)).toEqual({
      outcome: 'ignore',
      reason: 'superseded',
    });
  });
});
