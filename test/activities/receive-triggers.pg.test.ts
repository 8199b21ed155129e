import { describe, expect, it } from 'vitest';
import { triggerActivities } from '../../activities/receive-triggers.ts';
import { blobSubject } from '../../schema/events/blob-subject.ts';
import { readDeadLetters, recentJournal } from '../../schema/index/journal.ts';
import { countEntries } from '../../schema/index/queries.ts';
import type { ReconcileInput } from '../../schema/inputs/activities.ts';
import { testIndex } from '../support/postgres.ts';
import { FakeQueue } from './fake-queue.ts';
import { runActivity, testServices } from './test-services.ts';

const now = Date.now();

function event(number: number, more: object = {}) {
  return {
    id: `id-${number}`,
    topic: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/lake',
    subject: blobSubject({ container: 'c', name: `blob-${number}` }),
    eventType: 'Microsoft.Storage.BlobCreated',
    eventTime: new Date(now).toISOString(),
    data: {
      api: 'PutBlob',
      eTag: `0x${number.toString(16)}`,
      contentLength: 1,
      blobType: 'BlockBlob',
      sequencer: number.toString(16).padStart(48, '0'),
    },
    ...more,
  };
}

describe('trigger intake', () => {
  it('4: settles only what has committed, and the same news again changes nothing', async () => {
    await using db = await testIndex();
    const queue = new FakeQueue();
    const services = await testServices(db.index, { queue, clock: queue.clock });
    const { receiveTriggers } = triggerActivities(services);
    const live: number[] = [];
    queue.onComplete = async () => void live.push((await countEntries(db.index.db, services.account.id)).live);
    queue.send(event(1), [event(2)], JSON.stringify(event(3)), event(1));
    expect(await runActivity(() => receiveTriggers({ seconds: 1 }))).toEqual({
      messages: 4,
      applied: 3,
      superseded: 1,
      ignored: 0,
      deadLettered: 0,
    });
    expect(live).toEqual([3]);
    queue.send(event(3), event(2), event(1));
    expect(await runActivity(() => receiveTriggers({ seconds: 1 }))).toMatchObject({
      messages: 3,
      applied: 0,
      superseded: 3,
    });
    expect(queue.done.filter((each) => each.startsWith('complete'))).toHaveLength(7);
  });

  it('dead-letters what can never be applied, with the reason, and applies what came with it', async () => {
    await using db = await testIndex();
    const queue = new FakeQueue();
    const services = await testServices(db.index, { queue, clock: queue.clock });
    queue.send(
      '{',
      { a: 1 },
      event(1, { eventType: 'Contoso.Paid' }),
      event(2, { topic: '/x/storageAccounts/other' }),
      event(3, { subject: blobSubject({ container: 'c', name: 'a\u0000' }) }),
      event(4),
      [event(5), { ...event(6), id: 7 }, event(7)],
    );
    const turn = await runActivity(() => triggerActivities(services).receiveTriggers({ seconds: 1 }));
    expect(turn).toMatchObject({ messages: 7, applied: 3, ignored: 1, deadLettered: 5 });
    expect(queue.done.sort()).toEqual([
      'complete m4',
      'complete m6',
      'dead-letter m1 not-json',
      'dead-letter m2 not-an-event',
      'dead-letter m3 unknown-type',
      'dead-letter m5 unstorable-name',
      'dead-letter m7 bad-event',
    ]);
    expect(await recentJournal(db.index.db, services.account.id, { limit: 10, kind: 'dead-letter' })).toHaveLength(5);
    expect(await readDeadLetters(db.index.db, services.account.id)).toMatchObject({
      byOrigin: [{ origin: 'service-bus', count: 5 }],
      last: { reason: 'bad-event' },
    });
  });

  it('4: holds its messages while the index does not take them, and gives none back', async () => {
    await using db = await testIndex();
    const queue = new FakeQueue();
    const { rules, ...rest } = await testServices(db.index, { queue, clock: queue.clock });
    let failures = 3;
    const { receiveTriggers } = triggerActivities({
      ...rest,
      rules: async () => {
        if (failures-- > 0) throw new Error('Connection terminated');
        return rules();
      },
    });
    queue.send(event(1));
    expect(await runActivity(() => receiveTriggers({ seconds: 3 }))).toMatchObject({ applied: 1 });
    expect(queue.done).toEqual(['complete m1']);
    // Neither does a turn that ends meanwhile: the next one has them still.
    failures = 100;
    queue.send(event(2));
    await expect(runActivity(() => receiveTriggers({ seconds: 0.2 }))).rejects.toThrow('Connection terminated');
    failures = 0;
    expect(await runActivity(() => receiveTriggers({ seconds: 1 }))).toMatchObject({ messages: 1, applied: 1 });
    expect(queue.done).toEqual(['complete m1', 'complete m1']);
  });

  it('gives back what it holds when it is cancelled', async () => {
    await using db = await testIndex();
    const queue = new FakeQueue();
    const held = Promise.withResolvers<void>();
    const rules = () => {
      held.resolve();
      return Promise.reject(new Error('down'));
    };
    const services = await testServices(db.index, { queue, rules });
    queue.send(event(1));
    await runActivity(() => triggerActivities(services).receiveTriggers({ seconds: 600 }), held.promise);
    expect(queue.done).toEqual(['abandon m1', 'close']);
  });

  it('asks for a reconcile when an inventory of its rule has succeeded', async () => {
    await using db = await testIndex();
    const queue = new FakeQueue();
    const wanted: ReconcileInput[] = [];
    const services = await testServices(db.index, {
      queue,
      clock: queue.clock,
      requestReconcile: async (input) => void wanted.push(input),
    });
    const run = (ruleName: string, policyRunStatus: string) => ({
      ...event(1, {
        eventType: 'Microsoft.Storage.BlobInventoryPolicyCompleted',
        subject: 'BlobDataManagement/BlobInventory',
      }),
      data: {
        accountName: 'lake',
        ruleName,
        policyRunStatus,
        manifestBlobUrl:
          'https://lake.blob.core.windows.net/inventory/2026/01/01/00-00-00/isthmus/isthmus-manifest.json',
      },
    });
    queue.send(run('isthmus', 'Succeeded'), run('other', 'Succeeded'), run('isthmus', 'Failed'));
    await runActivity(() => triggerActivities(services).receiveTriggers({ seconds: 1 }));
    expect(wanted).toEqual([
      { judge: 'inventory', manifest: 'inventory/2026/01/01/00-00-00/isthmus/isthmus-manifest.json' },
    ]);
    expect(queue.done).toEqual(['complete m1', 'complete m2', 'complete m3']);
  });
});
