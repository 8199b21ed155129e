import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { deadLetterActivities } from '../../../activities/dead-letters/dead-letter-intake.ts';
import type { Services } from '../../../activities/services.ts';
import { blobSubject } from '../../../schema/events/blob-subject.ts';
import type { Index } from '../../../schema/index/database.ts';
import { readOpenLetters } from '../../../schema/index/dead-letters.ts';
import { readDeadLetters as notedLetters } from '../../../schema/index/journal.ts';
import { countEntries } from '../../../schema/index/queries.ts';
import type { ReconcileInput } from '../../../schema/inputs/activities.ts';
import { testIndex } from '../../support/postgres.ts';
import { hasRealData, REAL_DATA } from '../../support/real-data.ts';
import { runActivity, testServices } from '../test-services.ts';
import { MemoryBlobs } from './memory-blobs.ts';

const TRIED = '2026-11-21T14:00:00Z';

/** An event as Event Grid writes it to its dead-letter container. */
function dead(number: number, more: object = {}) {
  return {
    id: `id-${number}`,
    topic: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/lake',
    subject: blobSubject({ container: 'c', name: `blob-${number}` }),
    eventType: 'Microsoft.Storage.BlobCreated',
    eventTime: '2026-11-21T13:00:00Z',
    data: {
      api: 'PutBlob',
      eTag: `0x${number.toString(16)}`,
      contentLength: 1,
      blobType: 'BlockBlob',
      sequencer: number.toString(16).padStart(48, '0'),
    },
    deadLetterReason: 'MaxDeliveryAttemptsExceeded',
    deliveryAttempts: 30,
    lastDeliveryOutcome: 'NotFound',
    publishTime: '2026-11-21T13:00:01Z',
    lastDeliveryAttemptTime: TRIED,
    ...more,
  };
}

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

/** On a clock that goes on when the test says so: no turn ends because the machine is busy. */
async function intake(index: Index, blobs: MemoryBlobs, over: Partial<Services> = {}) {
  const time = { now: Date.parse(TRIED) };
  const clock = { now: () => time.now, sleep: async () => {} };
  const services = await testServices(index, { blobs: blobs.source, clock });
  const deadLetters = { container: 'dead', pollSeconds: 60 };
  const federation = {
    ...services.federation,
    sources: { ...services.federation.sources, deadLetters },
  };
  const { readDeadLetters } = deadLetterActivities({ ...services, federation, ...over });
  const id = services.account.id;
  return {
    time,
    turn: (seconds = 10) => runActivity(() => readDeadLetters({ seconds })),
    letters: () => readOpenLetters(index.db, id, { limit: 1_000 }),
    noted: async () => (await notedLetters(index.db, id)).byOrigin,
    live: async () => (await countEntries(index.db, id)).live,
  };
}

describe('dead-letter intake', () => {
  it('applies what Event Grid gave up on, in both schemas, and reads nothing twice', async () => {
    await using db = await testIndex();
    const blobs = new MemoryBlobs();
    const { topic, eventType, eventTime, ...cloud } = dead(3);
    blobs.put('2026/11/21/14/a.json', [dead(1), dead(2)]);
    blobs.put('2026/11/21/14/b.json', [{ ...cloud, source: topic, type: eventType, time: eventTime }]);
    const { turn, live, letters } = await intake(db.index, blobs);
    expect(await turn()).toEqual({
      ...{ blobs: 2, events: 3, applied: 3, superseded: 0, ignored: 0, kept: 0 },
      ...{ more: false, restSeconds: 60 },
    });
    expect([await live(), await letters()]).toEqual([3, []]);
    expect(await turn()).toMatchObject({ blobs: 0, events: 0 });
    expect(blobs.reads).toEqual(['2026/11/21/14/a.json', '2026/11/21/14/b.json']);
    // Written anew, it tells something else.
    blobs.put('2026/11/21/14/a.json', [dead(1), dead(4)]);
    expect(await turn()).toMatchObject({ blobs: 1, applied: 1, superseded: 1 });
  });

  it('keeps the one poisonous event of 500, and applies those beside it', async () => {
    await using db = await testIndex();
    const blobs = new MemoryBlobs();
    const poison = dead(250, { id: 7 });
    blobs.put(
      'a.json',
      numbers(500).map((at) => (at === 250 ? poison : dead(at))),
    );
    const { turn, live, letters, noted } = await intake(db.index, blobs);
    expect(await turn()).toMatchObject({ events: 500, applied: 499, kept: 1 });
    expect(await noted()).toEqual([{ origin: 'event-grid', count: 1 }]);
    expect(await live()).toBe(499);
    expect(await letters()).toMatchObject([
      { origin: 'event-grid', reason: 'bad-event', body: poison, enqueuedAt: Date.parse(TRIED) },
    ]);
  });

  it('applies an array that is larger than a transaction', async () => {
    await using db = await testIndex();
    const blobs = new MemoryBlobs();
    blobs.put('a.json', [...numbers(1_200).map((at) => dead(at)), 'no event']);
    const { turn, live, letters } = await intake(db.index, blobs);
    expect(await turn()).toMatchObject({ blobs: 1, events: 1_201, applied: 1_200, kept: 1 });
    expect([await live(), (await letters()).length]).toEqual([1_200, 1]);
  });

  it('keeps a blob that is cut off as it is, and goes on with the next', async () => {
    await using db = await testIndex();
    const blobs = new MemoryBlobs();
    const torn = JSON.stringify([dead(1), dead(2)]).slice(0, -20);
    blobs.put('a.json', torn);
    blobs.put('b.json', [dead(3)]);
    const { turn, live, letters, noted } = await intake(db.index, blobs);
    expect(await turn()).toMatchObject({ blobs: 2, applied: 1, kept: 1 });
    expect(await noted()).toEqual([{ origin: 'event-grid', count: 1 }]);
    expect(await live()).toBe(1);
    expect(await letters()).toMatchObject([{ reason: 'not-json', body: Buffer.from(torn) }]);
    expect(await turn()).toMatchObject({ blobs: 0, kept: 0 });
  });

  it('8: keeps no more of a large blob that is none of its own than tells what it is', async () => {
    await using db = await testIndex();
    const blobs = new MemoryBlobs();
    blobs.put('film.mp4', 'x'.repeat(2 * 1024 * 1024));
    const { turn, letters } = await intake(db.index, blobs);
    expect(await turn()).toMatchObject({ blobs: 1, kept: 1 });
    const [letter] = await letters();
    expect(letter).toMatchObject({
      reason: 'not-json',
      description: expect.stringContaining('first 1048576 of 2097152'),
    });
    expect(letter?.body).toHaveLength(1024 * 1024);
  });

  it('reads a blob once that is listed twice', async () => {
    await using db = await testIndex();
    const blobs = new MemoryBlobs();
    blobs.put('a.json', [dead(1), 'no event']);
    // Twice in one page, and again in the next.
    blobs.times = 3;
    const { turn, letters } = await intake(db.index, blobs);
    expect(await turn()).toMatchObject({ blobs: 1, applied: 1, kept: 1 });
    expect([blobs.reads.length, (await letters()).length]).toEqual([1, 1]);
  });

  it('3: after a crash before a blob is remembered, reads it again, and keeps and notes no letter twice', async () => {
    await using db = await testIndex();
    const blobs = new MemoryBlobs();
    blobs.put('a.json', ['poison', ...numbers(499).map((at) => dead(at)), 'no event']);
    blobs.put('b.json', ['no event either', dead(501)]);
    let pages = 0;
    const { rules } = await testServices(db.index, {});
    // The second page of the first blob is not had.
    const dying = await intake(db.index, blobs, {
      rules: async () => {
        if (++pages === 2) throw new Error('killed');
        return rules();
      },
    });
    await expect(dying.turn()).rejects.toThrow('killed');
    expect([await dying.live(), await dying.noted()]).toEqual([499, [{ origin: 'event-grid', count: 1 }]]);
    const { turn, letters, noted } = await intake(db.index, blobs);
    expect(await turn()).toMatchObject({ blobs: 2, applied: 1, superseded: 499, kept: 3 });
    expect(await letters()).toHaveLength(3);
    expect(await noted()).toEqual([{ origin: 'event-grid', count: 3 }]);
  });

  it('8: reads a bounded number of blobs in a turn, and says that there are more', async () => {
    await using db = await testIndex();
    const blobs = new MemoryBlobs();
    for (const at of numbers(203)) blobs.put(`${String(at).padStart(4, '0')}.json`, [dead(at)]);
    const { turn, live } = await intake(db.index, blobs);
    expect(await turn()).toMatchObject({ blobs: 200, more: true });
    expect(await turn()).toMatchObject({ blobs: 3, more: false });
    expect(await live()).toBe(203);
  });

  it('8: ends a turn when its time is up, and has read one blob, however long that took', async () => {
    await using db = await testIndex();
    const blobs = new MemoryBlobs();
    for (const at of numbers(5)) blobs.put(`${at}.json`, [dead(at)]);
    const { turn, time } = await intake(db.index, blobs);
    blobs.onRead = () => {
      time.now += 4_000;
    };
    expect(await turn(10)).toMatchObject({ blobs: 3, more: true });
    expect(await turn(0)).toMatchObject({ blobs: 1, more: true });
    expect(await turn(10)).toMatchObject({ blobs: 1, more: false });
  });

  it('asks for the reconcile of an inventory whose announcement was not delivered', async () => {
    await using db = await testIndex();
    const blobs = new MemoryBlobs();
    const manifestBlobUrl = 'https://lake.blob.core.windows.net/inventory/a/isthmus/isthmus-manifest.json';
    const data = { accountName: 'lake', ruleName: 'isthmus', policyRunStatus: 'Succeeded', manifestBlobUrl };
    const eventType = 'Microsoft.Storage.BlobInventoryPolicyCompleted';
    blobs.put('a.json', [dead(1, { eventType, subject: 'BlobDataManagement/BlobInventory', data })]);
    const wanted: ReconcileInput[] = [];
    const requestReconcile = async (input: ReconcileInput) => void wanted.push(input);
    const { turn } = await intake(db.index, blobs, { requestReconcile });
    await turn();
    expect(wanted).toEqual([{ judge: 'inventory', manifest: 'inventory/a/isthmus/isthmus-manifest.json' }]);
  });

  it.runIf(hasRealData)(
    "reads Azure's own samples, ignores what is a stranger's, and keeps the other with its reason",
    async () => {
      await using db = await testIndex();
      const blobs = new MemoryBlobs();
      const sample = (name: string) =>
        JSON.parse(readFileSync(path.join(REAL_DATA, 'eventgrid/docs-samples', name), 'utf8'));
      blobs.put('a.json', [
        sample('blob_created_deadletter_eventgrid_schema.json'),
        sample('deadletter_cloudevents_schema.json'),
      ]);
      const { turn, letters } = await intake(db.index, blobs);
      expect(await turn()).toMatchObject({ events: 2, applied: 0, ignored: 1, kept: 1 });
      expect((await letters()).map(({ reason, enqueuedAt }) => [reason, new Date(enqueuedAt).toISOString()])).toEqual(
        expect.arrayContaining([['bad-event', '2020-08-13T21:21:36.401Z']]),
      );
    },
  );
});
