import { describe, expect, it } from 'vitest';
import { lookActivities } from '../../activities/answer-looks.ts';
import { applyUnderRules } from '../../activities/apply-under-rules.ts';
import { feedActivities } from '../../activities/feed/feed-activities.ts';
import { triggerActivities } from '../../activities/receive-triggers.ts';
import type { Services } from '../../activities/services.ts';
import { blobSubject } from '../../schema/events/blob-subject.ts';
import { applyEvents } from '../../schema/index/apply-events.ts';
import type { Index } from '../../schema/index/database.ts';
import { readCursor } from '../../schema/index/feed-cursors.ts';
import { readGaps } from '../../schema/index/feed-gaps.ts';
import { recentJournal } from '../../schema/index/journal.ts';
import { readSources } from '../../schema/index/sources.ts';
import { distrustTriggers, readTriggerTrust, trustTriggers } from '../../schema/index/trigger-trust.ts';
import type { ReconcileInput } from '../../schema/inputs/activities.ts';
import type { BlobSource } from '../../schema/ports/blob-source.ts';
import { put } from '../schema/index/page.ts';
import { storedEntries } from '../schema/index/read-index.ts';
import { idleClock } from '../support/idle-clock.ts';
import { testIndex } from '../support/postgres.ts';
import { avroBlock, avroHeader, feedRecord, MemoryFeed } from './azure/memory-feed.ts';
import { FakeQueue } from './fake-queue.ts';
import { tailToEnd } from './feed/feed-of.ts';
import { runActivity, testServices } from './test-services.ts';

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60;

/** One change: its place in the account's order is its second, its sequencer and its version. */
interface Change {
  readonly at: number;
  readonly name: string;
  readonly gone?: boolean;
}

/** As the feed ends an event's id; Event Grid ends it in its own way. */
const requestOf = (at: number) => `5d055648-1126-4053-bc6f-${at.toString(16).padStart(6, '0')}`;

function asRecord({ at, name, gone = false }: Change) {
  const record = feedRecord(at, name);
  const type = gone ? { eventType: 'BlobDeleted', data: { ...record.data, api: 'DeleteBlob' } } : {};
  return { ...record, ...type, id: `${requestOf(at)}06a1b2` };
}

function asTrigger({ at, name, gone = false }: Change, sequencer: (at: number) => number) {
  return {
    id: `${requestOf(at)}06c3d4`,
    topic: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/lake',
    subject: blobSubject({ container: 'c', name }),
    eventType: gone ? 'Microsoft.Storage.BlobDeleted' : 'Microsoft.Storage.BlobCreated',
    eventTime: new Date(START + at * 1000).toISOString(),
    data: {
      api: gone ? 'DeleteBlob' : 'PutBlob',
      eTag: `0x${at.toString(16)}`,
      contentLength: at,
      blobType: 'BlockBlob',
      sequencer: sequencer(at).toString(16).padStart(48, '0'),
    },
  };
}

/** Two segments, an hour apart, with these changes in each. */
function feedOf(changes: readonly Change[]): MemoryFeed {
  const feed = new MemoryFeed();
  feed.segment(0, 'Finalized');
  feed.segment(60, 'Publishing');
  for (const minute of [0, 60]) {
    const records = changes.filter(({ at }) => at >= minute * MINUTE && at < (minute + 60) * MINUTE).map(asRecord);
    feed.append(`${feed.shard(minute)}00000.avro`, avroHeader(), avroBlock(records));
  }
  return feed;
}

/** The newest change of each name. */
function newest(changes: readonly Change[]): ReadonlyMap<string, Change> {
  return new Map(changes.toSorted((a, b) => a.at - b.at).map((change) => [change.name, change]));
}

/** Blobs as the feed leaves them. */
function blobsOf(changes: readonly Change[]): BlobSource {
  const known = newest(changes);
  const look: BlobSource['look'] = async ({ name }) => {
    const change = known.get(name);
    if (change === undefined || change.gone) return { kind: 'absent', time: Date.now() };
    const attributes = { etag: `0x${change.at.toString(16)}`, length: change.at, blobType: 'BlockBlob' as const };
    return { kind: 'found', attributes, time: Date.now() };
  };
  return { look } as BlobSource;
}

async function versions(index: Index, accountId: number): Promise<Record<string, string | undefined>> {
  const entries = await storedEntries(index, accountId);
  return Object.fromEntries(entries.map(({ name, attributes }) => [name, attributes?.etag]));
}

function folded(changes: readonly Change[]): Record<string, string | undefined> {
  const told = [...newest(changes)].map(([name, { at, gone }]) => [name, gone ? undefined : `0x${at.toString(16)}`]);
  return Object.fromEntries(told);
}

const receive = (services: Services) =>
  runActivity(() => triggerActivities(services).receiveTriggers({ seconds: 0.5 }));
const answer = (services: Services) => runActivity(() => lookActivities(services).answerLooks({ seconds: 0.5 }));

/** Puts, overwrites and deletes, near each other and not, over two hours. */
const CHANGES: readonly Change[] = [
  ...Array.from({ length: 12 }, (_, at) => ({ at: 1_000 + at, name: `blob-${at}` })),
  { at: 1_003 + 100, name: 'blob-0' },
  { at: 1_006 + 100, name: 'blob-1', gone: true },
  { at: 1_012, name: 'blob-2' },
  { at: 1_015, name: 'blob-3', gone: true },
  { at: 1_016, name: 'blob-3' },
  { at: 4_000, name: 'blob-4' },
  { at: 4_001, name: 'blob-5', gone: true },
  { at: 4_002, name: 'late' },
];

describe('the assumption that triggers and feed print the same sequencers', () => {
  it.each([
    ['shifted up', (at: number) => at + 100_000],
    ['shifted down', (at: number) => at - 900],
    ['reversed', (at: number) => 100_000 - at],
  ])(
    '1: once broken (%s), triggers are distrusted, and the feed read again ends as its own fold',
    async (_, sequencer) => {
      await using db = await testIndex();
      const queue = new FakeQueue();
      const services = await testServices(db.index, {
        queue,
        clock: queue.clock,
        feed: feedOf(CHANGES),
        blobs: blobsOf(CHANGES),
      });
      const { id } = services.account;
      // Nothing of the second hour's last name, and of the first hour in an order of their own.
      queue.send(
        ...CHANGES.filter(({ name }) => name !== 'late')
          .toReversed()
          .map((each) => asTrigger(each, sequencer)),
      );
      expect((await receive(services)).applied).toBeGreaterThan(0);
      expect(await readTriggerTrust(db.index.db, id)).toMatchObject({
        firstApplied: START + 1_000_000,
        mismatched: 0,
        distrustedAt: undefined,
      });

      await tailToEnd(services);
      await answer(services);
      await tailToEnd(services);
      await answer(services);
      const trust = await readTriggerTrust(db.index.db, id);
      expect(trust).toMatchObject({ rereadWanted: false, distrustedAt: expect.any(Number) });
      expect(trust.mismatched).toBeGreaterThan(0);
      expect(trust.evidence.length).toBeGreaterThan(0);
      const [first] = trust.evidence;
      expect(first?.trigger.sequencer).not.toBe(first?.feed.sequencer);
      expect(first?.trigger.eventId.slice(0, 30)).toBe(first?.feed.eventId.slice(0, 30));
      expect(await versions(db.index, id)).toEqual(folded(CHANGES));
      const kinds = (await recentJournal(db.index.db, id, { limit: 10 })).map(({ kind }) => kind);
      expect(kinds).toEqual(['feed-rewound', 'triggers-distrusted']);

      // From here on triggers change nothing, whatever they say, and are taken off the queue all the same.
      queue.send(asTrigger({ at: 9_000, name: 'blob-0', gone: true }, sequencer));
      expect(await receive(services)).toMatchObject({ messages: 1, applied: 0, ignored: 1 });
      expect(queue.done.at(-1)).toBe('complete m1');
      const [, source] = await readSources(db.index.db, id);
      expect(source).toMatchObject({ source: 'trigger', state: 'distrusted', reason: expect.any(String) });
      expect(source?.applied).toBe(START + 9_000_000);
      const { rewindFeed } = feedActivities(services);
      await runActivity(() => rewindFeed({ to: '2026-01-01T00:00:00Z', reason: 'a test' }));
      const again = await tailToEnd(services);
      expect(again.reduce((sum, turn) => sum + turn.applied, 0)).toBe(0);
      expect(await versions(db.index, id)).toEqual(folded(CHANGES));
    },
  );

  it('1: is counted where it holds, and nothing else happens', async () => {
    await using db = await testIndex();
    const queue = new FakeQueue();
    const apart = CHANGES.filter(({ at }) => at < 1_012);
    const services = await testServices(db.index, { queue, clock: queue.clock, feed: feedOf(apart) });
    const { id } = services.account;
    queue.send(...apart.map((each) => asTrigger(each, (at) => at)));
    expect(await receive(services)).toMatchObject({ applied: 12 });
    const before = await storedEntries(db.index, id);
    await tailToEnd(services);
    await tailToEnd(services);
    expect(await readTriggerTrust(db.index.db, id)).toMatchObject({
      ...{ agreed: 12, mismatched: 0, evidence: [], distrustedAt: undefined, rereadWanted: false },
    });
    expect(await storedEntries(db.index, id)).toEqual(before);
    expect(await recentJournal(db.index.db, id, { limit: 10 })).toEqual([]);
  });

  it('1: is found broken by a trigger that comes after its record, too', async () => {
    await using db = await testIndex();
    const queue = new FakeQueue();
    const services = await testServices(db.index, {
      queue,
      clock: queue.clock,
      feed: feedOf(CHANGES),
      blobs: blobsOf(CHANGES),
    });
    const { id } = services.account;
    await tailToEnd(services);
    queue.send(asTrigger({ at: 1_006, name: 'blob-6' }, (at) => at + 1));
    await receive(services);
    expect(await readTriggerTrust(db.index.db, id)).toMatchObject({ mismatched: 1, rereadWanted: true });
    expect(await readCursor(db.index.db, id)).toMatchObject({ version: 2 });
    await tailToEnd(services);
    expect(await readTriggerTrust(db.index.db, id)).toMatchObject({ rereadWanted: false });
    await answer(services);
    expect(await versions(db.index, id)).toEqual(folded(CHANGES));
  });

  it('1: leaves a gap to a listing where the feed does not reach back to the first trigger', async () => {
    await using db = await testIndex();
    const queue = new FakeQueue();
    const asked: ReconcileInput[] = [];
    const given = { queue, clock: queue.clock, feed: feedOf(CHANGES), blobs: blobsOf(CHANGES) };
    const services = await testServices(db.index, { ...given, requestReconcile: async (run) => void asked.push(run) });
    const { id } = services.account;
    queue.send(
      ...[
        { at: -90_000, name: 'old' },
        { at: 1_006, name: 'blob-6' },
      ].map((each) => asTrigger(each, (at) => at + 100_000)),
    );
    await receive(services);
    await tailToEnd(services);
    await tailToEnd(services);
    expect(await readCursor(db.index.db, id)).toMatchObject({ segment: given.feed.manifest(60) });
    expect(await readGaps(db.index.db, id, { limit: 9 })).toMatchObject([{ missing: given.feed.manifest(0) }]);
    expect(asked).toEqual([{ judge: 'listing' }]);
  });

  it('3: is acted upon by the next pass where a worker was killed right after the page', async () => {
    await using db = await testIndex();
    const services = await testServices(db.index, {
      clock: idleClock(),
      feed: feedOf(CHANGES),
      blobs: blobsOf(CHANGES),
    });
    const { id } = services.account;
    await tailToEnd(services);
    // A page of triggers that commits, and its worker does nothing more.
    const eventId = `${requestOf(1_006)}06c3d4`;
    const told = put('blob-6', 1_007, { container: 'c', source: 'trigger', eventId, time: START + 1_006_000 });
    await applyUnderRules(services, (tx, scope) => applyEvents(tx, { ...scope, events: [told] }));
    expect(await readTriggerTrust(db.index.db, id)).toMatchObject({ mismatched: 1, distrustedAt: undefined });
    await tailToEnd(services);
    expect(await readTriggerTrust(db.index.db, id)).toMatchObject({ distrustedAt: expect.any(Number) });
    await answer(services);
    expect(await versions(db.index, id)).toEqual(folded(CHANGES));
  });

  it("is believed again on an operator's word alone, once the feed has been set back", async () => {
    await using db = await testIndex();
    const queue = new FakeQueue();
    const services = await testServices(db.index, {
      queue,
      clock: queue.clock,
      feed: feedOf(CHANGES),
      blobs: blobsOf(CHANGES),
    });
    const { id } = services.account;
    expect(await trustTriggers(db.index, id, 'too early')).toBe('trusted-already');
    expect(await distrustTriggers(db.index, id)).toBeUndefined();
    await tailToEnd(services);
    queue.send(asTrigger({ at: 1_006, name: 'blob-6' }, (at) => at + 1));
    await receive(services);
    expect(await trustTriggers(db.index, id, 'too early')).toBe('reread-wanted');
    await tailToEnd(services);
    expect(await trustTriggers(db.index, id, 'Microsoft mended it')).toBe('trusted');
    expect(await recentJournal(db.index.db, id, { limit: 1 })).toMatchObject([
      { kind: 'triggers-trusted', detail: { reason: 'Microsoft mended it', mismatched: 1 } },
    ]);
    queue.send(asTrigger({ at: 9_000, name: 'new' }, (at) => at));
    expect(await receive(services)).toMatchObject({ applied: 1 });
    expect(await readTriggerTrust(db.index.db, id)).toMatchObject({ mismatched: 0, distrustedAt: undefined });
  });
});
