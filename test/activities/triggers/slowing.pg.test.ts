import { describe, expect, it } from 'vitest';
import { triggerActivities } from '../../../activities/receive-triggers.ts';
import type { Services } from '../../../activities/services.ts';
import { readSources } from '../../../schema/index/sources.ts';
import { idleClock } from '../../support/idle-clock.ts';
import { testIndex } from '../../support/postgres.ts';
import { FakeQueue } from '../fake-queue.ts';
import { runActivity, testServices } from '../test-services.ts';
import { blobEvent } from './blob-event.ts';

const MINUTE = 60_000;

async function slowed({ metrics }: Services, by: string, source = 'trigger'): Promise<number | undefined> {
  const { values } = (await metrics.registry.getSingleMetric('isthmus_trigger_slowed')?.get()) ?? {};
  return values?.find(({ labels }) => labels.by === by && labels.source === source)?.value;
}

const trigger = async ({ index, account }: Services) =>
  (await readSources(index.db, account.id)).find(({ source }) => source === 'trigger');

describe('an intake that what comes after it does not keep up with', () => {
  it('pauses between batches while stubs wait for long, says so, and goes on at full speed after', async () => {
    await using db = await testIndex();
    const sleeps: number[] = [];
    const clock = idleClock((ms) => void sleeps.push(ms));
    const queue = new FakeQueue(clock);
    const services = await testServices(db.index, { queue, clock });
    const { receiveTriggers } = triggerActivities(services);
    const take = async (number: number) => {
      queue.send(blobEvent(number));
      sleeps.length = 0;
      return await runActivity(() => receiveTriggers({ seconds: 10 }));
    };
    expect((await take(1)).slowed).toBeUndefined();
    expect(sleeps).not.toContain(500);
    const waiting = Date.now() - 2 * MINUTE;
    await db.index.db.updateTable('entries').set({ stub_at: waiting }).execute();
    const late = await take(2);
    expect(late).toMatchObject({ applied: 1, slowed: expect.stringMatching(/stubs have waited for \d+ s/) });
    // By the server's clock, which goes on for as long as the turn takes.
    const seconds = Number(/waited for (\d+) s/.exec(late.slowed ?? '')?.[1]);
    expect(seconds).toBeGreaterThanOrEqual(2 * 60);
    expect(seconds).toBeLessThanOrEqual(Math.ceil((Date.now() - waiting) / 1_000));
    expect(sleeps).toContain(500);
    expect(await slowed(services, 'stubs')).toBe(1);
    expect(await slowed(services, 'stubs', 'event-hubs')).toBeUndefined();
    queue.send(blobEvent(3));
    await runActivity(() => receiveTriggers({ seconds: 1 }));
    expect(await trigger(services)).toMatchObject({ state: 'receiving', reason: expect.stringContaining('slowed') });
    await db.index.db.updateTable('entries').set({ stub_due: false }).execute();
    await take(4);
    const again = await take(5);
    expect(again.slowed).toBeUndefined();
    expect(await slowed(services, 'stubs')).toBe(0);
    expect((await trigger(services))?.reason).toBeUndefined();
  });

  it('is not slowed for what waits for a sink that the federation names no more', async () => {
    await using db = await testIndex();
    const queue = new FakeQueue();
    const services = await testServices(db.index, { queue, clock: queue.clock });
    const { receiveTriggers } = triggerActivities(services);
    queue.send(blobEvent(1));
    await runActivity(() => receiveTriggers({ seconds: 1 }));
    await db.index.db.updateTable('entries').set({ stub_at: 0 }).execute();
    await db.index.db.updateTable('sinks').set({ name: 'what it was called before' }).execute();
    queue.send(blobEvent(2));
    expect((await runActivity(() => receiveTriggers({ seconds: 10 }))).slowed).toBeUndefined();
  });

  it('says that the index is slow', async () => {
    await using db = await testIndex();
    const queue = new FakeQueue();
    let ahead = 0;
    const clock = { ...queue.clock, now: () => queue.clock.now() + ahead };
    const { rules, ...rest } = await testServices(db.index, { queue, clock });
    const services: Services = {
      ...rest,
      rules: () => {
        ahead += 7_000;
        return rules();
      },
    };
    queue.send(blobEvent(1));
    const turn = await runActivity(() => triggerActivities(services).receiveTriggers({ seconds: 7 }));
    expect(turn).toMatchObject({ applied: 1, slowed: 'slowed, for the index took 7 s for a batch' });
    expect(await slowed(services, 'index')).toBe(1);
  });
});
