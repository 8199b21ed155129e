import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { serviceBusClient } from '../../../activities/azure/service-bus-client.ts';
import { ServiceBusQueue, type ServiceBusQueueOptions } from '../../../activities/azure/service-bus-queue.ts';
import { triggerActivities } from '../../../activities/receive-triggers.ts';
import type { Services } from '../../../activities/services.ts';
import type { QueueOptions } from '../../../infra/local/service-bus/message-queue.ts';
import { type RunningServiceBus, startServiceBus } from '../../../infra/local/service-bus/service-bus.ts';
import type { Index } from '../../../schema/index/database.ts';
import type { TriggerTurn } from '../../../schema/inputs/activities.ts';
import { testIndex } from '../../support/postgres.ts';
import { runActivity, testServices } from '../test-services.ts';
import { blobEvent } from './blob-event.ts';
import type { KillArgument } from './kill-intake.process.ts';

/** A broker, whose locks end when the test says so, and an index. */
async function openFault(options: Partial<QueueOptions> = {}) {
  const db = await testIndex();
  const folder = await mkdtemp(join(tmpdir(), 'isthmus-test-'));
  const queues = [{ name: 'q', lockMs: 60_000, maxDeliveryCount: 10, duplicateWindowMs: 0, ...options }];
  let ahead = 0;
  const start = (port: number) =>
    startServiceBus({ port, queues, file: join(folder, 'queue'), now: () => Date.now() + ahead });
  let bus = await start(0);
  return {
    index: db.index,
    url: db.url,
    get bus(): RunningServiceBus {
      return bus;
    },
    /** Every lock that is held now ends, without its holder's knowing. */
    endLocks: () => {
      ahead += 60_000;
    },
    async restart() {
      await bus.stop();
      bus = await start(bus.port);
    },
    async publish(from: number, to: number, copies = 1) {
      for (let copy = 0; copy < copies; copy++) {
        for (let at = from; at <= to; at++) await bus.publish('q', { messageId: `id-${at}`, body: blobEvent(at) });
      }
    },
    async [Symbol.asyncDispose]() {
      await bus.stop();
      await db[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Fault = Awaited<ReturnType<typeof openFault>>;

/** A worker of its own on the queue. */
async function worker({ bus, index }: Fault, options: Partial<ServiceBusQueueOptions> = {}): Promise<Services> {
  const services = await testServices(index, {});
  const { metrics } = services;
  const onLost = (count: number) => metrics.triggerLocksLost(count);
  const openTriggers = () =>
    new ServiceBusQueue(serviceBusClient(bus), { queue: 'q', silenceMs: 500, onLost, ...options });
  return { ...services, openTriggers };
}

/** Runs until the queue has nothing left, held or waiting. */
async function drain(fault: Fault, workers: readonly Services[]): Promise<readonly TriggerTurn[]> {
  const over = Promise.withResolvers<void>();
  const turns = workers.map((services) =>
    runActivity(() => triggerActivities(services).receiveTriggers({ seconds: 3_600 }), over.promise),
  );
  try {
    await expect.poll(() => fault.bus.queueState('q')).toMatchObject({ active: 0, locked: 0 });
  } finally {
    over.resolve();
  }
  return await Promise.all(turns);
}

/** Live entries, and how often any of them was changed. */
async function standing(index: Index) {
  const { rows } = await sql<{ live: number; revisions: number }>`
    select count(*) filter (where live) as live, coalesce(sum(revision), 0)::bigint as revisions from entries`.execute(
    index.db,
  );
  return rows[0];
}

async function locksLost({ metrics }: Services): Promise<number | undefined> {
  const { values } = (await metrics.registry.getSingleMetric('isthmus_trigger_lock_losses_total')?.get()) ?? {};
  return values?.[0]?.value;
}

/** Runs an intake in a process of its own to its death. */
async function killIntake({ bus, url }: Fault, when: KillArgument['when']): Promise<void> {
  const file = fileURLToPath(new URL('kill-intake.process.ts', import.meta.url));
  const argument: KillArgument = { connectionString: bus.connectionString, url, when };
  const child = spawn(process.execPath, [file, JSON.stringify(argument)], { stdio: 'inherit' });
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
}

/** Does something once, after the messages were received and before they are committed. */
function beforeCommit(services: Services, work: () => void | Promise<void>): Services {
  let done = false;
  return {
    ...services,
    async rules() {
      if (!done) {
        done = true;
        await work();
      }
      return services.rules();
    },
  };
}

describe('the trigger intake under faults', () => {
  it('4: loses nothing when it is killed between receive and commit', async () => {
    await using fault = await openFault();
    await fault.publish(1, 40);
    await killIntake(fault, 'received');
    expect(fault.bus.queueState('q')).toMatchObject({ locked: 40, completed: 0 });
    expect(await standing(fault.index)).toEqual({ live: 0, revisions: 0 });
    fault.endLocks();
    const [turn] = await drain(fault, [await worker(fault)]);
    expect(turn).toMatchObject({ messages: 40, applied: 40, superseded: 0 });
    expect(await standing(fault.index)).toEqual({ live: 40, revisions: 40 });
  });

  it('1: changes nothing a second time when it is killed between commit and settle', async () => {
    await using fault = await openFault();
    await fault.publish(1, 40);
    await killIntake(fault, 'committed');
    expect(fault.bus.queueState('q')).toMatchObject({ locked: 40, completed: 0 });
    const committed = await standing(fault.index);
    expect(committed?.live).toBeGreaterThan(0);
    fault.endLocks();
    const [turn] = await drain(fault, [await worker(fault)]);
    expect(turn).toMatchObject({ messages: 40, applied: 40 - (committed?.live ?? 0), superseded: committed?.live });
    expect(await standing(fault.index)).toEqual({ live: 40, revisions: 40 });
  });

  it('4: counts the locks that it lost in mid-batch, and changes nothing when the messages come again', async () => {
    await using fault = await openFault();
    await fault.publish(1, 30);
    const open = await worker(fault);
    const losing = beforeCommit(open, async () => {
      fault.endLocks();
      await expect.poll(() => fault.bus.queueState('q').locked).toBe(30);
    });
    const [turn] = await drain(fault, [losing]);
    expect(turn).toMatchObject({ applied: 30, deadLettered: 0 });
    expect(await standing(fault.index)).toEqual({ live: 30, revisions: 30 });
    expect(await locksLost(open)).toBeGreaterThan(0);
    expect(fault.bus.queueState('q')).toMatchObject({ completed: 30, deadLettered: 0 });
  });

  it.each<readonly [string, (fault: Fault) => void | Promise<void>]>([
    ['its links are detached', ({ bus }) => bus.detachReceivers()],
    ['its connection is cut', ({ bus }) => bus.cutConnections()],
    ['the broker is restarted', (fault) => fault.restart()],
  ])('4: goes on and loses nothing when %s in mid-batch', async (_what, strike) => {
    await using fault = await openFault({ lockMs: 2_000, maxDeliveryCount: 100 });
    await fault.publish(1, 60);
    const struck = beforeCommit(await worker(fault), async () => {
      await strike(fault);
      await fault.publish(61, 120);
    });
    const [turn] = await drain(fault, [struck]);
    expect(turn).toMatchObject({ applied: 120, deadLettered: 0 });
    expect(await standing(fault.index)).toEqual({ live: 120, revisions: 120 });
    expect(fault.bus.queueState('q')).toMatchObject({ deadLettered: 0 });
  });

  it('1: applies a message once that came five times at once to two workers', async () => {
    await using fault = await openFault();
    await fault.publish(1, 100, 5);
    // Each can hold half of them, and neither commits before both do.
    let holding = 0;
    const both = Promise.withResolvers<void>();
    const meet = async () => {
      if (++holding === 2) both.resolve();
      await both.promise;
    };
    const workers = [await worker(fault, { hold: 250 }), await worker(fault, { hold: 250 })];
    const meeting = workers.map((services) => beforeCommit(services, meet));
    const turns = await drain(fault, meeting);
    const sum = (of: (turn: TriggerTurn) => number) => turns.reduce((all, turn) => all + of(turn), 0);
    expect(sum(({ messages }) => messages)).toBe(500);
    expect(sum(({ applied }) => applied)).toBe(100);
    expect(sum(({ superseded }) => superseded)).toBe(400);
    expect(await standing(fault.index)).toEqual({ live: 100, revisions: 100 });
  });

  it('4: dead-letters the one poisonous message of 500, and completes its neighbours', async () => {
    await using fault = await openFault();
    await fault.publish(1, 250);
    await fault.bus.publish('q', { messageId: 'poison', body: { ...blobEvent(251), subject: 'no blob at all' } });
    await fault.publish(252, 500);
    const [turn] = await drain(fault, [await worker(fault)]);
    expect(turn).toMatchObject({ messages: 500, applied: 499, deadLettered: 1 });
    expect(await standing(fault.index)).toEqual({ live: 499, revisions: 499 });
    expect(fault.bus.queueState('q')).toMatchObject({ completed: 500, deadLettered: 1 });
  });

  it('8: takes messages of 256 KB', async () => {
    await using fault = await openFault();
    const url = 'x'.repeat(256 * 1024 - 600);
    for (let at = 1; at <= 60; at++) {
      await fault.bus.publish('q', { messageId: `id-${at}`, body: blobEvent(at, { data: { clientRequestId: url } }) });
    }
    const [turn] = await drain(fault, [await worker(fault)]);
    expect(turn).toMatchObject({ messages: 60, applied: 60 });
    expect(await standing(fault.index)).toEqual({ live: 60, revisions: 60 });
  });
});
