import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventHubConsumerClient, type SubscriptionEventHandlers } from '@azure/event-hubs';
import { sql } from 'kysely';
import { describe, expect, it, vi } from 'vitest';
import type { Removed } from '../../../activities/azure/event-hubs-tail.ts';
import { readOpenLetters } from '../../../schema/index/dead-letters.ts';
import { readHubLosses } from '../../../schema/index/event-hub-partitions.ts';
import { recentJournal } from '../../../schema/index/journal.ts';
import { transact } from '../../../schema/index/transact.ts';
import { TriggersLost } from '../../../schema/ports/trigger-queue.ts';
import { commit, hubWorld, numbersOf, range, receiveAll, waitFor } from './hub-world.ts';

const never = new AbortController().signal;

describe('a reader of an event hub', () => {
  it('begins a partition that was never read with its oldest event', async () => {
    await using world = await hubWorld();
    await world.publish(1, 40);
    expect(numbersOf(await receiveAll(world.open(), 40))).toEqual(range(1, 40));
  });

  it('3: moves its partitions in the transaction that holds the effect, or not at all', async () => {
    await using world = await hubWorld();
    await world.publish(1, 40);
    const first = world.open();
    const messages = await receiveAll(first, 40);
    const rolledBack = transact(world.index, async (tx) => {
      await first.commit(tx, messages, []);
      throw new Error('the effect could not be written');
    });
    await expect(rolledBack).rejects.toThrow('the effect');
    expect(Object.values(await world.places())).toEqual([undefined, undefined, undefined, undefined]);
    await commit(world.index, first, messages);
    expect(await world.places()).toEqual(world.ends());
    await first.close();
    await world.publish(41, 45);
    expect(numbersOf(await receiveAll(world.open(), 5))).toEqual(range(41, 45));
  });

  it('4: killed before its commit, leaves everything to the next one', async () => {
    await using world = await hubWorld();
    await world.publish(1, 30);
    const dying = world.mortal();
    expect(await receiveAll(dying.queue, 30)).toHaveLength(30);
    await dying.kill();
    expect((await world.owners()).length).toBe(4);
    await world.expireClaims();
    expect(numbersOf(await receiveAll(world.open(), 30))).toEqual(range(1, 30));
  });

  it('4: killed after its commit and before it receives again, leaves nothing of that to the next one', async () => {
    await using world = await hubWorld();
    await world.publish(1, 30);
    const dying = world.mortal();
    const messages = await receiveAll(dying.queue, 30);
    await transact(dying.index, (tx) => dying.queue.commit(tx, messages, []));
    await dying.kill();
    await world.expireClaims();
    await world.publish(31, 33);
    expect(numbersOf(await receiveAll(world.open(), 3))).toEqual(range(31, 33));
  });

  it('3: loses a page that another reader has applied meanwhile, and gives the rest of it out again', async () => {
    await using world = await hubWorld();
    await world.publish(1, 40);
    const slow = world.open({ idleMs: 3_600_000 });
    const page = await receiveAll(slow, 40);
    const fast = world.open({ idleMs: 3_600_000 });
    // Its fair share: two of four. They come to it from where they are applied, which is nowhere yet.
    const share: Awaited<ReturnType<typeof receiveAll>> = [];
    await waitFor(async () => {
      share.push(...(await fast.receive(1_000, 250, never)));
      const partitions = new Set(share.map(({ id }) => id[0]));
      const all = page.filter(({ id }) => partitions.has(id[0]));
      return (
        new Set((await world.owners()).map(String)).size === 2 && partitions.size === 2 && share.length === all.length
      );
    });
    await commit(world.index, fast, share);
    await expect(commit(world.index, slow, page)).rejects.toThrow(TriggersLost);
    const taken = new Set(numbersOf(share));
    const again = await receiveAll(slow, 40 - share.length);
    expect(numbersOf(again)).toEqual(range(1, 40).filter((number) => !taken.has(number)));
    expect(new Set(again.map(({ deliveryCount }) => deliveryCount))).toEqual(new Set([2]));
    await commit(world.index, slow, again);
    expect(await world.places()).toEqual(world.ends());
  });

  it('9: reads a partition anew that it lost while its client waited for what it had to be taken', async () => {
    await using world = await hubWorld({ partitions: 1 });
    await world.publish(1, 1_200);
    const queue = world.open({ idleMs: 3_600_000 });
    await receiveAll(queue, 1, () => queue.receive(1, 250, never));
    // More than may wait comes meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const later = await queue.receive(1, 250, never);
    // Its place is not where this was read from.
    await expect(commit(world.index, queue, later)).rejects.toThrow(TriggersLost);
    expect(numbersOf(await receiveAll(queue, 1_200))).toEqual(range(1, 1_200));
  });

  it('9: gives a partition up, and reads the others on, whose link is taken over while its client closes it', async () => {
    const subscribed = vi.spyOn(EventHubConsumerClient.prototype, 'subscribe');
    await using world = await hubWorld();
    const queue = world.open({ idleMs: 3_600_000 });
    await world.publish(1, 40);
    const messages = await receiveAll(queue, 40);
    const [handlers] = subscribed.mock.calls[0] as unknown as [SubscriptionEventHandlers];
    subscribed.mockRestore();
    const stolen = { condition: 'amqp:link:stolen', description: 'New receiver with higher epoch' } as unknown as Error;
    const context = { partitionId: '0' } as Parameters<SubscriptionEventHandlers['processError']>[1];
    await handlers.processError(stolen, context);
    expect(await world.owners()).toHaveLength(3);
    await commit(world.index, queue, messages);
    await world.publish(41, 60);
    expect(await queue.receive(100, 5_000, never)).not.toEqual([]);
  });

  it('keeps what was refused as a dead letter in the same transaction, once', async () => {
    await using world = await hubWorld({ partitions: 1 });
    await world.hubs.publish('h', { messageId: 'cut', body: Buffer.from('{"id": "half') });
    const queue = world.open();
    const [message] = await receiveAll(queue, 1);
    if (message === undefined) throw new Error('expected an event');
    const refused = [{ message, reason: 'not-json', description: 'the body is not JSON' }];
    const letters = () => readOpenLetters(world.index.db, world.services.account.id, { limit: 10 });
    const failing = transact(world.index, async (tx) => {
      await queue.commit(tx, [message], refused);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await letters()).toEqual([]);
    await commit(world.index, queue, [message], refused);
    await sql`update event_hub_partitions set sequence = null, event_offset = null`.execute(world.index.db);
    const other = world.open();
    await queue.close();
    const again = await receiveAll(other, 1);
    await commit(
      world.index,
      other,
      again,
      again.map((each) => ({ message: each, reason: 'not-json', description: 'again' })),
    );
    expect(await letters()).toMatchObject([
      {
        origin: 'event-hubs',
        reason: 'not-json',
        description: 'the body is not JSON',
        body: Buffer.from('{"id": "half'),
      },
    ]);
  });

  it('gives the rest of a page back of which some is not held any more', async () => {
    await using world = await hubWorld({ partitions: 1 });
    await world.publish(1, 5);
    const queue = world.open({ idleMs: 3_600_000 });
    const messages = await receiveAll(queue, 5);
    await queue.complete(messages.slice(0, 2));
    await expect(commit(world.index, queue, messages)).rejects.toThrow(TriggersLost);
    expect(numbersOf(await queue.receive(1_000, 0, never))).toEqual([3, 4, 5]);
  });

  it('says at once and writes down that events were removed before it read them', async () => {
    await using world = await hubWorld({ partitions: 1 });
    await world.publish(1, 3);
    const first = world.open();
    await commit(world.index, first, await receiveAll(first, 3));
    await first.close();
    await world.publish(4, 20);
    world.hubs.removeBefore('h', '0', 15);
    const removed: Removed[] = [];
    let wishes = 0;
    const heal = async () => {
      if (wishes++ === 0) throw new Error('Temporal is away');
    };
    const second = world.open({ onRemoved: (each) => removed.push(each), heal, idleMs: 3_600_000 });
    await expect(waitFor(async () => (await second.receive(1_000, 250, never)).length > 0)).rejects.toMatchObject({
      code: 'ISTHMUS_SOURCE_UNAVAILABLE',
      message: expect.stringMatching(/^Event hub h: .* no reconcile could be asked for: Temporal is away$/),
    });
    expect(wishes).toBe(1);
    const rest = await receiveAll(second, 5);
    expect(numbersOf(rest)).toEqual(range(16, 20));
    expect(removed).toEqual([{ partition: '0', from: 3, to: 14 }]);
    // Until that is certain which brings what they told, nothing moves past them.
    expect(await world.places()).toEqual({ 0: 2 });
    expect(wishes).toBe(2);
    await commit(world.index, second, rest);
    expect(await world.places()).toEqual({ 0: 19 });
    const notes = await recentJournal(world.index.db, world.services.account.id, { limit: 5, kind: 'event-hub-gap' });
    expect(notes).toMatchObject([{ detail: { eventHub: 'h', partition: '0', from: 3, to: 14 } }]);
  });

  it('forgets how far it was in a hub that was made anew, and writes that down', async () => {
    await using world = await hubWorld({ partitions: 1 });
    await world.publish(1, 30);
    const first = world.open();
    await commit(world.index, first, await receiveAll(first, 30));
    await first.close();
    await world.makeAnew();
    await world.publish(31, 33);
    const told: unknown[] = [];
    const queue = world.open({ onMadeAnew: (place) => told.push(place) });
    expect(numbersOf(await receiveAll(queue, 3))).toEqual(range(31, 33));
    expect(told).toMatchObject([{ partition: '0', place: { sequence: 29 }, last: 2 }]);
    const account = world.services.account.id;
    const losses = await readHubLosses(world.index.db, account, Date.now() - 3_600_000);
    expect(losses).toMatchObject([{ what: 'made-anew', lastAt: expect.any(Number) }]);
    expect(await readHubLosses(world.index.db, account, Date.now() + 3_600_000)).toEqual([]);
    const notes = await recentJournal(world.index.db, account, { limit: 5, kind: 'event-hub-made-anew' });
    expect(notes).toMatchObject([{ detail: { partition: '0', place: { sequence: 29 }, last: 2 } }]);
  });

  it.each<readonly [string, number, number, number, () => number]>([
    // The place would be behind events that nobody read.
    ['more events than the old one, and smaller ones', 2_000, 230, 0, Date.now],
    // As the twin that a namespace fails over to: what it says of itself contradicts nothing.
    ['more events, and was made before', 0, 80, 2_000, () => Date.now() - 600_000],
  ])('loses nothing of a hub that was made anew and has %s', async (_what, oldPad, last, pad, now) => {
    await using world = await hubWorld({ partitions: 1 });
    await world.publish(1, 30, { pad: 'x'.repeat(oldPad) });
    let wishes = 0;
    const heal = async () => void wishes++;
    const first = world.open({ heal });
    await commit(world.index, first, await receiveAll(first, 30));
    await first.close();
    await world.makeAnew(now);
    await world.publish(31, last, { pad: 'x'.repeat(pad) });
    const queue = world.open({ heal });
    const messages = await receiveAll(queue, last - 30);
    expect(numbersOf(messages)).toEqual(range(31, last));
    await commit(world.index, queue, messages);
    expect(await world.places()).toEqual(world.ends());
    expect(wishes).toBe(1);
    const account = world.services.account.id;
    const notes = await recentJournal(world.index.db, account, { limit: 5, kind: 'event-hub-made-anew' });
    expect(notes).toMatchObject([{ detail: { partition: '0', place: { sequence: 29 } } }]);
  });

  it('goes on where it was after a restart of the broker, whose events retention has all removed', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'isthmus-hub-'));
    await using world = await hubWorld({ partitions: 1, file: join(folder.path, 'hubs.jsonl') });
    await world.publish(1, 20);
    const first = world.open();
    await commit(world.index, first, await receiveAll(first, 20));
    await first.close();
    world.hubs.removeBefore('h', '0', 20);
    await world.restart();
    const queue = world.open();
    expect(await queue.receive(1_000, 1_000, never)).toEqual([]);
    await world.publish(21, 25);
    const rest = await receiveAll(queue, 5);
    expect(numbersOf(rest)).toEqual(range(21, 25));
    await commit(world.index, queue, rest);
    expect(await world.places()).toEqual({ 0: 24 });
    const account = world.services.account.id;
    expect(await recentJournal(world.index.db, account, { limit: 5, kind: 'event-hub-made-anew' })).toEqual([]);
  });

  it('goes on after the connection is cut, in mid-batch, and after the broker is started again', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'isthmus-hub-'));
    await using world = await hubWorld({ file: join(folder.path, 'hubs.jsonl') });
    const queue = world.open({ idleMs: 3_600_000 });
    await world.publish(1, 20);
    const held = await receiveAll(queue, 20);
    world.hubs.cutConnections();
    await world.publish(21, 30);
    await commit(world.index, queue, held);
    const seen = await receiveAll(queue, 10);
    expect(numbersOf(seen)).toEqual(range(21, 30));
    await world.restart();
    await commit(world.index, queue, seen);
    await world.publish(31, 40);
    const rest = await receiveAll(queue, 10);
    expect(numbersOf(rest)).toEqual(range(31, 40));
    await commit(world.index, queue, rest);
    expect(await world.places()).toEqual(world.ends());
  });

  it('gives its partitions up where nobody receives any more, and not while what it gave out is being applied', async () => {
    await using world = await hubWorld();
    await world.publish(1, 8);
    const queue = world.open({ idleMs: 200 });
    const messages = await receiveAll(queue, 8);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await world.owners()).toHaveLength(4);
    await commit(world.index, queue, messages);
    await waitFor(async () => (await world.owners()).length === 0);
    await world.publish(9, 12);
    expect(numbersOf(await receiveAll(queue, 4))).toEqual(range(9, 12));
  });

  it('8: lets a burst wait in the hub, also after many small batches, for each of which its client asks for more', async () => {
    await using world = await hubWorld({ partitions: 1 });
    const queue = world.open({ idleMs: 3_600_000 });
    let most = 0;
    for (let at = 1; at <= 60; at++) {
      await world.publish(at, at);
      await commit(world.index, queue, await receiveAll(queue, 1));
      most = Math.max(most, world.hubs.hubState('h')['0']?.mostCredit ?? 0);
    }
    // 60 times 500 where nothing holds it back.
    expect(most).toBeLessThan(15_000);
    await world.publish(61, 70);
    expect(numbersOf(await receiveAll(queue, 10))).toEqual(range(61, 70));
  });

  it('says that a hub is not there, and goes on when it is', async () => {
    await using world = await hubWorld();
    const connectionString = world.hubs.connectionString;
    const queue = world.open({ source: { eventHub: 'absent', consumerGroup: '$Default', connectionString } });
    const failing = waitFor(async () => (await queue.receive(1, 500, never)).length > 0);
    await expect(failing).rejects.toMatchObject({ code: 'ISTHMUS_SOURCE_UNAVAILABLE', message: /absent/ });
  });
});
