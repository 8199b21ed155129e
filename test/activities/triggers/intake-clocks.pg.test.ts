import { describe, expect, it } from 'vitest';
import { triggerActivities } from '../../../activities/receive-triggers.ts';
import { epochAt } from '../../../namespace/epoch.ts';
import { noteEpochs } from '../../../schema/index/containers.ts';
import { countLooks } from '../../../schema/index/looks.ts';
import { countEntries, explainEntry } from '../../../schema/index/queries.ts';
import { transact } from '../../../schema/index/transact.ts';
import { testIndex } from '../../support/postgres.ts';
import { FakeQueue } from '../fake-queue.ts';
import { runActivity, testServices } from '../test-services.ts';
import { blobEvent } from './blob-event.ts';

const HOUR = 3_600_000;

async function openIntake() {
  const db = await testIndex();
  const queue = new FakeQueue();
  const services = await testServices(db.index, { queue, clock: queue.clock });
  const { receiveTriggers } = triggerActivities(services);
  return {
    accountId: services.account.id,
    index: db.index,
    /** Each in a batch of its own, in this order. */
    async take(...events: readonly object[]) {
      const turns = [];
      for (const event of events) {
        queue.send(event);
        turns.push(await runActivity(() => receiveTriggers({ seconds: 1 })));
      }
      return turns;
    },
    live: async () => (await countEntries(db.index.db, services.account.id)).live,
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}

/** An event of `blob-1` with a sequencer of its own. */
function ofOne(
  sequencer: number,
  more: { readonly type?: string; readonly time?: number; readonly eTag?: string } = {},
) {
  const { type = 'BlobCreated', time, eTag = `0x${sequencer}` } = more;
  const data = { sequencer: sequencer.toString(16).padStart(48, '0'), eTag };
  const deletes = type === 'BlobDeleted' ? { api: 'DeleteBlob' } : {};
  return {
    ...blobEvent(1, { ...(time === undefined ? {} : { time }), data: { ...data, ...deletes } }),
    id: `event-${sequencer}`,
    eventType: `Microsoft.Storage.${type}`,
  };
}

describe('the trigger intake and clocks', () => {
  it('2: keeps a blob gone whose delete comes before its create', async () => {
    await using intake = await openIntake();
    const turns = await intake.take(ofOne(2, { type: 'BlobDeleted' }), ofOne(1));
    expect(turns).toMatchObject([{ applied: 1 }, { applied: 0, superseded: 1 }]);
    expect(await intake.live()).toBe(0);
    expect(await intake.take(ofOne(3))).toMatchObject([{ applied: 1 }]);
    expect(await intake.live()).toBe(1);
  });

  it('1: changes nothing by an event that is two hours late', async () => {
    await using intake = await openIntake();
    const now = Date.now();
    const turns = await intake.take(ofOne(5, { time: now, eTag: '0xnew' }), ofOne(4, { time: now - 2 * HOUR }));
    expect(turns).toMatchObject([{ applied: 1 }, { applied: 0, superseded: 1 }]);
    const entry = await explainEntry(intake.index.db, intake.accountId, { container: 'c', name: 'blob-1' });
    expect(entry).toMatchObject({ attributes: { etag: '0xnew' }, revision: 1 });
  });

  it('2: looks, instead of believing a create two hours late of a name that nobody knows any more', async () => {
    await using intake = await openIntake();
    const horizon = Date.now() - HOUR;
    await intake.index.db.updateTable('accounts').set({ horizon }).where('id', '=', intake.accountId).execute();
    await intake.take(ofOne(1, { time: Date.now() - 2 * HOUR }));
    expect(await intake.live()).toBe(0);
    expect(await countLooks(intake.index.db, intake.accountId)).toBe(1);
  });

  it('2: ignores an event of a container that was deleted and created again since', async () => {
    await using intake = await openIntake();
    const now = Date.now();
    await transact(intake.index, (tx) => noteEpochs(tx, intake.accountId, new Map([['c', epochAt(now - HOUR)]])));
    const turns = await intake.take(ofOne(9, { time: now - 2 * HOUR }), ofOne(1, { time: now }));
    expect(turns).toMatchObject([
      { applied: 0, ignored: 1 },
      { applied: 1, ignored: 0 },
    ]);
    const entry = await explainEntry(intake.index.db, intake.accountId, { container: 'c', name: 'blob-1' });
    expect(entry).toMatchObject({ live: true, attributes: { etag: '0x1' } });
  });

  it('ignores an event of an account that nobody federates, by its reason, and leaves the index alone', async () => {
    await using intake = await openIntake();
    const stranger = { ...ofOne(1), topic: '/subscriptions/s/providers/Microsoft.Storage/storageAccounts/other' };
    expect(await intake.take(stranger)).toMatchObject([{ messages: 1, applied: 0, ignored: 1, deadLettered: 0 }]);
    expect(await intake.live()).toBe(0);
  });
});
