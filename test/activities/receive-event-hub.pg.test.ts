import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createActivities } from '../../activities/activities.ts';
import { readOpenLetters } from '../../schema/index/dead-letters.ts';
import { readDeadLetters, recentJournal } from '../../schema/index/journal.ts';
import type { ReconcileInput } from '../../schema/inputs/activities.ts';
import { TriggersLost } from '../../schema/ports/trigger-queue.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { eventOf, hubWorld, receiveAll, waitFor } from './azure/hub-world.ts';
import { runActivity } from './test-services.ts';

const same = (a: object, b: object) => JSON.stringify(a) === JSON.stringify(b);

describe('the intake of an event hub', () => {
  it('4: applies what several readers take, each event once, and counts it', async () => {
    await using world = await hubWorld();
    await world.publish(1, 400);
    const counts = await world.intake(2, async () => (await world.live()) === 400);
    expect(counts).toEqual({ messages: 400, applied: 400, superseded: 0, ignored: 0, deadLettered: 0 });
    expect(await world.places()).toEqual(world.ends());
    expect(await world.owners()).toEqual([]);
  });

  it('3: loses nothing where a second reader takes partitions over in mid-batch', async () => {
    await using world = await hubWorld();
    await world.publish(1, 300);
    const begun = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const first = world.open();
    const receive = first.receive.bind(first);
    const commit = first.commit.bind(first);
    let pages = 0;
    let lost = 0;
    first.receive = async (...asked) => {
      if (pages++ > 0) return await receive(...asked);
      const page = await receiveAll(first, 300, receive);
      begun.resolve();
      await held.promise;
      return page;
    };
    first.commit = (...page) =>
      commit(...page).catch((error) => {
        if (error instanceof TriggersLost) lost++;
        throw error;
      });
    const done = async () => (await world.live()) === 600 && same(await world.places(), world.ends());
    const slow = world.intake(1, done, { openEventHubs: () => first });
    await begun.promise;
    // The page of the first one stands still; the second one takes its share of the partitions and applies it.
    const fast = world.intake(1, done);
    await waitFor(async () => (await world.live()) > 0);
    await world.publish(301, 600);
    held.resolve();
    const counts = await Promise.all([slow, fast]);
    expect(counts[0].applied + counts[1].applied).toBe(600);
    expect(counts[0].superseded + counts[1].superseded).toBe(0);
    // A partition that the second one claims a moment later than its first is lost by a later page.
    expect(lost).toBeGreaterThanOrEqual(1);
    const gaps = { limit: 5, kind: 'event-hub-gap' };
    expect(await recentJournal(world.index.db, world.services.account.id, gaps)).toEqual([]);
  });

  it('4: holds its page while the index is gone, and applies all of it when it is back', async () => {
    await using world = await hubWorld();
    await world.publish(1, 200);
    const running = world.intake(1, async () => (await world.live().catch(() => 0)) === 700);
    await waitFor(async () => (await world.live()) > 0);
    await world.stopPostgres();
    await world.publish(201, 700);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await world.startPostgres();
    await running;
    expect(await world.places()).toEqual(world.ends());
  });

  it('changes nothing by the same event twice, as two events of the hub', async () => {
    await using world = await hubWorld();
    await world.publish(1, 20);
    await world.publish(1, 20);
    const counts = await world.intake(1, async () => same(await world.places(), world.ends()));
    expect(counts).toMatchObject({ messages: 40, applied: 20, superseded: 20 });
    // Once more, after what they tell was committed.
    await world.publish(1, 20);
    const again = await world.intake(1, async () => same(await world.places(), world.ends()));
    expect(again).toMatchObject({ messages: 20, applied: 0, superseded: 20 });
    expect(await world.live()).toBe(20);
  });

  it('applies 499 events beside a truncated one, which it keeps as a dead letter', async () => {
    await using world = await hubWorld({ partitions: 1 });
    await world.publish(1, 250);
    const whole = JSON.stringify(eventOf(251));
    await world.hubs.publish('h', { messageId: 'cut', body: Buffer.from(whole.slice(0, whole.length / 2)) });
    await world.publish(252, 500);
    const counts = await world.intake(1, async () => (await world.live()) === 499);
    expect(counts).toEqual({ messages: 500, applied: 499, superseded: 0, ignored: 0, deadLettered: 1 });
    expect(await world.places()).toEqual(world.ends());
    const letters = await readOpenLetters(world.index.db, world.services.account.id, { limit: 10 });
    expect(letters).toMatchObject([{ origin: 'event-hubs', reason: 'not-json' }]);
    expect(letters[0]?.messageId).toMatch(/^0\/250@/);
    const noted = await readDeadLetters(world.index.db, world.services.account.id);
    expect(noted.byOrigin).toEqual([{ origin: 'event-hubs', count: 1 }]);
  });

  it('ignores what is of an account that nobody federates, by its reason, and keeps none of it', async () => {
    await using world = await hubWorld();
    const topic = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/other';
    await world.publish(1, 100, { topic });
    await world.publish(101, 120);
    const counts = await world.intake(1, async () => same(await world.places(), world.ends()));
    expect(counts).toEqual({ messages: 120, applied: 20, superseded: 0, ignored: 100, deadLettered: 0 });
    expect(await readOpenLetters(world.index.db, world.services.account.id, { limit: 10 })).toEqual([]);
    expect(await world.services.metrics.registry.metrics()).toContain(
      'isthmus_source_records_total{source="event-hubs",outcome="unknown-account"} 100',
    );
  });

  it('4: asks for a reconcile before it moves past the event that tells of an inventory', async () => {
    await using world = await hubWorld({ partitions: 1 });
    await world.publish(1, 2);
    const manifestBlobUrl = 'https://lake.blob.core.windows.net/inventory/a/isthmus/isthmus-manifest.json';
    const data = { accountName: 'lake', ruleName: 'isthmus', policyRunStatus: 'Succeeded', manifestBlobUrl };
    const eventType = 'Microsoft.Storage.BlobInventoryPolicyCompleted';
    await world.publish(3, 3, { eventType, subject: 'BlobDataManagement/BlobInventory', data });
    const asked: object[] = [];
    const requestReconcile = async (input: ReconcileInput) => {
      asked.push({ ...input, places: await world.places() });
      if (asked.length < 3) throw new Error('Temporal is away');
    };
    const lines: object[] = [];
    const log = pino({ level: 'warn' }, { write: (line) => lines.push(JSON.parse(line)) });
    const given = { requestReconcile, log };
    const counts = await world.intake(1, async () => same(await world.places(), world.ends()), given);
    expect(counts).toMatchObject({ messages: 3, applied: 2 });
    const held = { msg: 'triggers are held until the reconcile that they tell of has been asked for' };
    expect(lines).toMatchObject(Array(2).fill({ ...held, error: 'Temporal is away' }));
    // Killed at any of them, it would be asked again: nothing was moved past the event.
    const wish = {
      judge: 'inventory',
      manifest: 'inventory/a/isthmus/isthmus-manifest.json',
      places: { 0: undefined },
    };
    expect(asked).toEqual([wish, wish, wish]);
  });

  it('says once of all its readers that the hub does not know the key, also where nothing was ever read of it', async () => {
    await using world = await hubWorld();
    const connectionString = world.hubs.connectionString.replace(
      /SharedAccessKey=[^;]+/,
      'SharedAccessKey=bm90LWl0cy1rZXk=',
    );
    const source = { eventHub: 'h', consumerGroup: '$Default', connectionString };
    const lines: object[] = [];
    const log = pino({ level: 'warn' }, { write: (line) => lines.push(JSON.parse(line)) });
    const { receiveEventHub } = createActivities({
      ...{ ...world.services, log },
      openEventHubs: () => world.open({ source }),
    });
    const reading = () =>
      Promise.allSettled([1, 2].map(() => runActivity(() => receiveEventHub({ seconds: PATIENCE_MS / 1_000 }))));
    const why = 'Event hub h: InvalidSignature: The token has an invalid signature.';
    const refused = { status: 'rejected', reason: { type: 'ISTHMUS_SOURCE_UNAVAILABLE', message: why } };
    expect(await reading()).toMatchObject([refused, refused]);
    expect(lines).toMatchObject([{ attempt: 1, msg: `receiveEventHub failed: ${why}` }]);
  });

  it('takes one event and an array of them', async () => {
    await using world = await hubWorld({ partitions: 1 });
    const bodies = [[eventOf(1), eventOf(2)], Buffer.from(JSON.stringify(eventOf(3))), [eventOf(4)]];
    for (const [at, body] of bodies.entries()) await world.hubs.publish('h', { messageId: `m${at}`, body });
    await world.intake(1, async () => (await world.live()) === 4);
    expect(await world.places()).toEqual({ 0: 2 });
  });
});
