import { describe, expect, it } from 'vitest';
import { triggerActivities } from '../../activities/receive-triggers.ts';
import { subtreeActivities } from '../../activities/work-subtrees.ts';
import { blobSubject } from '../../schema/events/blob-subject.ts';
import { readMoving } from '../../schema/index/moving.ts';
import { countEntries } from '../../schema/index/queries.ts';
import { finishRun, startRun } from '../../schema/index/runs.ts';
import { readSources } from '../../schema/index/sources.ts';
import type { ReconcileInput } from '../../schema/inputs/activities.ts';
import { idleClock } from '../support/idle-clock.ts';
import { testIndex } from '../support/postgres.ts';
import { FakeQueue } from './fake-queue.ts';
import { runActivity, testServices } from './test-services.ts';

const now = Date.now();

function told(id: number, type: string, name: string, ago: number, data: object) {
  return {
    id: `id-${id}`,
    topic: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/lake',
    subject: blobSubject({ container: 'c', name }),
    eventType: `Microsoft.Storage.${type}`,
    eventTime: new Date(now - ago).toISOString(),
    data,
  };
}

function written(number: number, name: string, ago: number) {
  const sequencer = number.toString(16).padStart(48, '0');
  const data = { eTag: `0x${number.toString(16)}`, contentLength: 1, blobType: 'BlockBlob', sequencer };
  return told(number, 'BlobCreated', name, ago, { api: 'FlushWithClose', blobUrl: 'x', ...data });
}

function renamed(id: number, from: string, to: string, ago: number) {
  const sourceBlobUrl = `https://lake.blob.core.windows.net/c/${from}`;
  return told(id, 'DirectoryRenamed', to, ago, { api: 'RenameDirectory', sourceBlobUrl });
}

describe('directories that went', () => {
  it('3, 4: are taken with the batch that tells of them, worked off, and listed by both of their names', async () => {
    await using db = await testIndex();
    const queue = new FakeQueue();
    const wishes: ReconcileInput[] = [];
    let reachable = false;
    const requestReconcile = async (input: ReconcileInput) => {
      if (!reachable) throw new Error('Temporal is away');
      wishes.push(input);
    };
    const services = await testServices(db.index, { queue, clock: queue.clock, requestReconcile });
    const { id } = services.account;
    const { receiveTriggers } = triggerActivities(services);
    queue.send(...Array.from({ length: 5 }, (_, at) => written(at + 1, `d/${at}`, 600_000)));
    await runActivity(() => receiveTriggers({ seconds: 1 }));
    queue.send(
      renamed(100, 'd', 'new/d', 300_000),
      renamed(100, 'd', 'new/d', 300_000),
      // In the same batch, of before and of after.
      [written(6, 'd/late', 500_000), written(7, 'd/again', 100_000)],
    );
    expect(await runActivity(() => receiveTriggers({ seconds: 1 }))).toMatchObject({
      ...{ messages: 3, applied: 2, superseded: 1, ignored: 1, deadLettered: 0 },
    });
    expect(await countEntries(db.index.db, id)).toMatchObject({ live: 6 });
    expect((await readMoving(db.index.db, id)).subtrees).toBe(1);

    const { workSubtrees } = subtreeActivities({ ...services, clock: idleClock() });
    expect(await runActivity(() => workSubtrees({ seconds: 3 }))).toEqual({ gone: 5, directories: 1 });
    // Newer than the rename: it is looked at, and until that is answered nothing is listed.
    expect(await countEntries(db.index.db, id)).toMatchObject({ live: 1, lookDue: 1 });
    reachable = true;
    expect(await runActivity(() => workSubtrees({ seconds: 1 }))).toEqual({ gone: 0, directories: 1 });
    expect(wishes).toEqual([]);
    await db.index.db.deleteFrom('looks').execute();
    reachable = false;
    await runActivity(() => workSubtrees({ seconds: 1 }));
    reachable = true;
    expect(await runActivity(() => workSubtrees({ seconds: 5 }))).toEqual({ gone: 0, directories: 1 });
    expect(wishes).toEqual([
      { judge: 'listing', prefix: 'c/d/' },
      { judge: 'listing', prefix: 'c/new/d/' },
    ]);
    for (const { prefix = '' } of wishes) {
      const run = await startRun(db.index.db, id, { judge: 'listing', prefix });
      await finishRun(db.index.db, run, { outcome: 'complete' });
    }
    expect(await runActivity(() => workSubtrees({ seconds: 1 }))).toEqual({ gone: 0, directories: 0 });
    expect(wishes).toHaveLength(2);
  });

  it('are what their source is applied to, where nothing newer was told', async () => {
    await using db = await testIndex();
    const queue = new FakeQueue();
    const services = await testServices(db.index, { queue, clock: queue.clock });
    queue.send(written(1, 'd/0', 600_000), renamed(100, 'd', 'new/d', 300_000));
    await runActivity(() => triggerActivities(services).receiveTriggers({ seconds: 1 }));
    const [source] = await readSources(db.index.db, services.account.id);
    expect(source).toMatchObject({ source: 'trigger', head: now - 300_000, applied: now - 300_000 });
  });

  it('are listed again where the listing that was asked for never came', async () => {
    await using db = await testIndex();
    const queue = new FakeQueue();
    const wishes: ReconcileInput[] = [];
    const requestReconcile = async (input: ReconcileInput) => void wishes.push(input);
    const services = await testServices(db.index, { queue, clock: queue.clock, requestReconcile });
    queue.send(told(1, 'DirectoryDeleted', 'd', 60_000, { api: 'DeleteDirectory', recursive: 'true' }));
    await runActivity(() => triggerActivities(services).receiveTriggers({ seconds: 1 }));
    const { workSubtrees } = subtreeActivities({ ...services, clock: idleClock() });
    await runActivity(() => workSubtrees({ seconds: 3 }));
    expect(wishes).toEqual([{ judge: 'listing', prefix: 'c/d/' }]);
    await db.index.db
      .updateTable('subtrees')
      .set({ requested_at: now - 3_600_000 })
      .execute();
    await runActivity(() => workSubtrees({ seconds: 3 }));
    expect(wishes).toHaveLength(2);
  });

  it('9: are listed though the listings of many others fail again and again', async () => {
    await using db = await testIndex();
    const queue = new FakeQueue();
    const wishes: ReconcileInput[] = [];
    const requestReconcile = async (input: ReconcileInput) => void wishes.push(input);
    const services = await testServices(db.index, { queue, clock: queue.clock, requestReconcile });
    const { workSubtrees } = subtreeActivities({ ...services, clock: idleClock() });
    const gone = (number: number) =>
      told(number, 'DirectoryDeleted', `parent-${number}/d`, 60_000, { api: 'DeleteDirectory', recursive: 'true' });
    for (let number = 1; number <= 20; number++) queue.send(gone(number));
    await runActivity(() => triggerActivities(services).receiveTriggers({ seconds: 1 }));
    await runActivity(() => workSubtrees({ seconds: 10 }));
    await db.index.db
      .updateTable('subtrees')
      .set({ requested_at: now - 3_600_000 })
      .execute();
    queue.send(gone(21));
    await runActivity(() => triggerActivities(services).receiveTriggers({ seconds: 1 }));
    wishes.length = 0;
    await runActivity(() => workSubtrees({ seconds: 3 }));
    expect(wishes.map(({ prefix }) => prefix)).toContain('c/parent-21/d/');
  });

  it('are worked off by whoever is left where a worker dies in the middle of one, and a turn that ends gives back what it holds', async () => {
    await using db = await testIndex();
    const queue = new FakeQueue();
    const services = await testServices(db.index, { queue, clock: queue.clock });
    for (let part = 0; part < 5; part++) {
      queue.send(...Array.from({ length: 500 }, (_, at) => written(part * 500 + at + 1, `d/${part}/${at}`, 600_000)));
    }
    const { receiveTriggers } = triggerActivities(services);
    await runActivity(() => receiveTriggers({ seconds: 1 }));
    queue.send(renamed(9_000, 'd', 'e', 300_000));
    await runActivity(() => receiveTriggers({ seconds: 1 }));
    let calls = 0;
    const dying = {
      ...services,
      clock: idleClock(),
      rules: () => (++calls === 2 ? Promise.reject(new Error('killed')) : services.rules()),
    };
    await expect(runActivity(() => subtreeActivities(dying).workSubtrees({ seconds: 5 }))).rejects.toThrow('killed');
    expect(await countEntries(db.index.db, services.account.id)).toMatchObject({ live: 1_500, tombstones: 1_000 });
    await db.index.db.updateTable('subtrees').set({ due_at: 0 }).execute();
    // A turn that is over after its first step.
    let time = 0;
    const short = { ...idleClock(), now: () => time++ * 900 };
    await runActivity(() => subtreeActivities({ ...services, clock: short }).workSubtrees({ seconds: 2 }));
    const { live } = await countEntries(db.index.db, services.account.id);
    expect(live).toBe(500);
    const { workSubtrees } = subtreeActivities({ ...services, clock: idleClock() });
    const turns = await Promise.all([
      runActivity(() => workSubtrees({ seconds: 2 })),
      runActivity(() => subtreeActivities({ ...services, clock: idleClock() }).workSubtrees({ seconds: 2 })),
    ]);
    expect(turns.reduce((sum, { gone }) => sum + gone, 0)).toBe(500);
  });
});
