import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Change } from '../../namespace/change.ts';
import { decide } from '../../namespace/decide.ts';
import type { Entry } from '../../namespace/entry.ts';
import { epochAt } from '../../namespace/epoch.ts';
import type { Rule } from '../../namespace/rule.ts';
import {
  attributes,
  BLOB_RULE,
  container,
  entry,
  event,
  KEY,
  LIVING,
  MARGIN,
  NOW,
  POLICY,
  policy,
  sequencer,
  time,
  VAST_RULE,
} from './arbitraries.ts';

const maybeEntry = fc.option(entry, { nil: undefined });
const look: fc.Arbitrary<Change> = fc
  .record({ found: fc.option(attributes, { nil: undefined }), time, entryRevision: fc.integer({ min: 0, max: 9 }) })
  .map((fields) => ({ kind: 'look', ...KEY, ...fields, eventId: 'look' }));
const listed: fc.Arbitrary<Change> = fc
  .record({ found: attributes, from: time, to: time })
  .map((fields) => ({ kind: 'listed', ...KEY, ...fields, eventId: 'run' }));
const change: fc.Arbitrary<Change> = fc.oneof(event, look, listed);

describe('decide', () => {
  it('is total, moves the revision by one, and keeps attributes exactly while live', () => {
    fc.assert(
      fc.property(maybeEntry, change, container, policy, (before, told, state, clock) => {
        const decision = decide(before, told, state, BLOB_RULE, clock, 7);
        if (decision.outcome !== 'apply' && decision.outcome !== 'look') return;
        const { next } = decision;
        expect(next.revision).toBe((before?.revision ?? 0) + 1);
        expect(next.live).toBe(next.attributes !== undefined);
        expect([next.container, next.name]).toEqual([KEY.container, KEY.name]);
        expect(next.lookDue).toBe(decision.outcome === 'look');
        if (!clock.looks && told.kind === 'event') expect(decision.outcome).toBe('apply');
      }),
      { numRuns: 10_000 },
    );
  });

  it('changes nothing that a user sees where it wants a look of an event', () => {
    fc.assert(
      fc.property(maybeEntry, event, container, policy, (before, told, state, clock) => {
        const decision = decide(before, told, state, BLOB_RULE, clock, 7);
        if (decision.outcome !== 'look') return;
        expect(decision.next.live).toBe(before?.live ?? false);
        expect(decision.next.attributes).toEqual(before?.attributes);
        expect(decision.next.sequencer).toBe(before?.sequencer);
      }),
      { numRuns: 5_000 },
    );
  });

  it('2: no event with a lower clock than a tombstone revives it', () => {
    fc.assert(
      fc.property(entry, event, container, policy, (row, told, state, clock) => {
        const tombstone: Entry = { ...row, live: false, attributes: undefined };
        const sameEpoch = told.epoch === undefined || row.epoch === undefined || told.epoch === row.epoch;
        const lower = sameEpoch
          ? row.sequencer !== undefined && (told.sequencer === undefined || told.sequencer <= row.sequencer)
          : (told.epoch ?? '') < (row.epoch ?? '');
        const decision = decide(tombstone, told, state, BLOB_RULE, clock, 7);
        if (lower && decision.outcome === 'apply') expect(decision.next.live).toBe(false);
        if (lower) expect(decision.outcome).not.toBe('apply');
      }),
      { numRuns: 10_000 },
    );
  });

  it('5: a change under a prefix that VAST rules never alters an entry, and an event there is a violation', () => {
    fc.assert(
      fc.property(maybeEntry, change, container, policy, (before, told, state, clock) => {
        const decision = decide(before, told, state, VAST_RULE, clock, 7);
        expect(decision.outcome).toBe(told.kind === 'event' ? 'refuse' : 'ignore');
        expect(decide(before, told, state, undefined, clock, 7)).toEqual({ outcome: 'ignore', reason: 'no-rule' });
      }),
    );
  });

  it('11: whatever is told of the name that Isthmus itself writes is ignored', () => {
    const canary: Rule = { prefix: 'c/canary', authority: 'isthmus', sink: '' };
    fc.assert(
      fc.property(maybeEntry, change, container, policy, (before, told, state, clock) => {
        const reason = told.kind === 'event' && clock.triggersTrusted === false ? /canary|distrusted/ : /canary/;
        expect(decide(before, told, state, canary, clock, 7)).toEqual({
          outcome: 'ignore',
          reason: expect.stringMatching(reason),
        });
      }),
    );
  });

  it('11: an event applied once changes nothing the second time', () => {
    fc.assert(
      fc.property(maybeEntry, event, container, policy, (before, told, state, clock) => {
        const first = decide(before, told, state, BLOB_RULE, clock, 7);
        if (first.outcome !== 'apply') return;
        expect(decide(first.next, told, state, BLOB_RULE, clock, 8).outcome).toBe('ignore');
      }),
      { numRuns: 10_000 },
    );
  });

  it('11: a listing that tells what the entry knows changes nothing', () => {
    fc.assert(
      fc.property(entry, time, (row, at) => {
        if (row.attributes === undefined) return;
        const told: Change = { kind: 'listed', ...KEY, found: row.attributes, from: at, to: at, eventId: 'run' };
        expect(decide(row, told, LIVING, BLOB_RULE, POLICY, 7).outcome).toBe('ignore');
      }),
    );
  });

  it('1: events of one key with honest clocks end at the newest, in any order and number', () => {
    const history = fc.array(fc.record({ gone: fc.boolean(), attributes }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.nat()), fc.boolean(), (changes, picks, looks) => {
        const events: Change[] = changes.map(({ gone, attributes: told }, at) => ({
          kind: 'event',
          ...KEY,
          source: 'feed',
          effect: gone ? 'delete' : 'put',
          attributes: gone ? undefined : { ...told, etag: `0x${at}` },
          sequencer: sequencer(at + 1),
          epoch: undefined,
          time: NOW + at * 1_000,
          eventId: `e${at}`,
          api: '',
        }));
        const [...order] = picks.take(3 * events.length);
        const delivered = [...order.map((pick) => events[pick % events.length]), ...events];
        let row: Entry | undefined;
        for (const told of delivered) {
          const decision = told && decide(row, told, LIVING, BLOB_RULE, { ...POLICY, looks }, 1);
          if (decision?.outcome === 'apply') row = decision.next;
        }
        const last = changes.at(-1);
        expect(row?.live).toBe(!last?.gone);
        expect(row?.attributes?.etag).toBe(last?.gone ? undefined : `0x${changes.length - 1}`);
      }),
    );
  });

  it('4: a look commits only where nothing has moved its entry', () => {
    fc.assert(
      fc.property(maybeEntry, look, container, (before, told, state) => {
        if (told.kind !== 'look') return;
        const decision = decide(before, told, state, BLOB_RULE, POLICY, 7);
        const moved = told.entryRevision !== (before?.revision ?? 0);
        expect(decision.outcome === 'ignore' && decision.reason === 'entry-moved').toBe(moved);
        if (decision.outcome === 'apply') expect(decision.next.look).toBe(told.time);
      }),
    );
  });

  it('takes the values of a record as they are where nobody can look', () => {
    const replay = { ...POLICY, looks: false, horizon: NOW + 1e9 };
    const touch: Change = {
      kind: 'event',
      ...KEY,
      source: 'replay',
      effect: 'touch',
      attributes: { etag: '0xA', length: 3 },
      sequencer: sequencer(5),
      epoch: epochAt(NOW),
      time: NOW,
      eventId: 'e',
      api: 'SetBlobMetadata',
    };
    const applied = decide(undefined, touch, LIVING, BLOB_RULE, replay, 1);
    expect(applied).toMatchObject({ outcome: 'apply', next: { live: true, attributes: { etag: '0xA', length: 3 } } });
    const dead = { newestEpoch: epochAt(NOW + MARGIN), goneAt: undefined };
    expect(decide(undefined, touch, dead, BLOB_RULE, replay, 1)).toEqual({ outcome: 'ignore', reason: 'dead-epoch' });
    const silent = { ...touch, attributes: undefined };
    expect(decide(undefined, silent, LIVING, BLOB_RULE, replay, 1)).toEqual({
      outcome: 'ignore',
      reason: 'nothing-new',
    });
  });

  it('keeps what an earlier event of one ETag told, and forgets it with the ETag', () => {
    const put = (etag: string, at: number, told: object): Change => ({
      kind: 'event',
      ...KEY,
      source: 'trigger',
      effect: 'put',
      attributes: { etag, length: 1, ...told },
      sequencer: sequencer(at),
      epoch: undefined,
      time: NOW + at,
      eventId: `e${at}`,
      api: '',
    });
    const first = decide(undefined, put('0xA', 1, { contentType: 'text/plain' }), LIVING, BLOB_RULE, POLICY, 1);
    const row = first.outcome === 'apply' ? first.next : undefined;
    const moved = decide(row, put('0xA', 2, { tier: 'Cool' }), LIVING, BLOB_RULE, POLICY, 1);
    expect(moved).toMatchObject({ next: { attributes: { contentType: 'text/plain', tier: 'Cool' } } });
    const replaced = decide(row, put('0xB', 3, {}), LIVING, BLOB_RULE, POLICY, 1);
    expect(replaced.outcome === 'apply' && replaced.next.attributes?.contentType).toBeUndefined();
  });
});
