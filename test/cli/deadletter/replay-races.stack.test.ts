import { describe, expect, it, vi } from 'vitest';
import { ServiceBusDeadLetters } from '../../../activities/azure/service-bus-dead-letters.ts';
import { replayLetters } from '../../../cli/deadletter/settle-letters.ts';
import { settleLetter } from '../../../schema/index/dead-letters.ts';
import { recentJournal } from '../../../schema/index/journal.ts';
import { transact } from '../../../schema/index/transact.ts';
import type { HeldDeadLetter } from '../../../schema/ports/dead-letter-queue.ts';
import { recordingTerminal } from '../recording-terminal.ts';
import { all, event, letter, lines, only, world } from './letters-world.ts';

describe('a replay beside another that takes the same dead letters', () => {
  it('3: of two replays of one letter at once, one applies it', async () => {
    await using open = await world();
    await open.keep(letter('p0/1', event(1)));
    const both = await Promise.all([1, 2].map(() => open.call((call) => replayLetters(only('eh-1'), call), true)));
    expect(both.map(({ printed }) => lines(printed)[0]?.outcome).toSorted()).toEqual(['applied', 'gone']);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const notes = await recentJournal(open.index.db, open.id, { limit: 10, kind: 'dead-letter-replayed' });
    expect(notes).toHaveLength(1);
  });

  it('3: of two replays of one letter of the queue at once, one sends it again, and the other is told and ends well', async () => {
    await using open = await world({ maxDeliveryCount: 1 });
    await open.bury(event(1));
    const both = await Promise.all([1, 2].map(() => open.call((call) => replayLetters(only('sb-1'), call), true)));
    expect(both.map(({ printed }) => lines(printed)[0]?.outcome).toSorted()).toEqual(['gone', 'requeued']);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(both.flatMap(({ said }) => said)).toEqual(['1 was replayed or discarded by another meanwhile.']);
    expect(open.broker.bus.queueState('q')).toMatchObject({ active: 1, deadLettered: 0 });
    expect((await open.call((call) => replayLetters(only('sb-1'), call))).code).toBe(1);
  });

  it('3: a letter that another replay took while this one was only being started was taken meanwhile', async () => {
    await using open = await world({ maxDeliveryCount: 1 });
    await open.keep(letter('p0/1', event(1)));
    await open.bury(event(2));
    const began = Date.now();
    const which = { ...only('eh-1', 'sb-1'), began };
    expect((await open.call((call) => replayLetters(which, call))).code).toBe(0);
    const second = await open.call((call) => replayLetters({ ...which, ids: [...which.ids, 'sb-9'] }, call));
    expect(second).toEqual({
      code: 1,
      printed: [
        'eh-1 is no dead letter: somebody else has replayed or discarded it',
        'sb-1 is no dead letter: somebody else has replayed or discarded it',
        'sb-9 is no dead letter: there is none of this id, and `isthmus deadletter list` prints those that there are',
      ],
      said: ['2 were replayed or discarded by another meanwhile.'],
    });
    expect((await open.call((call) => replayLetters(which, call))).code).toBe(0);
    expect((await open.call((call) => replayLetters(only('eh-1'), call))).code).toBe(1);
    expect((await open.call((call) => replayLetters(only('sb-1'), call))).code).toBe(1);
  });

  it('3: a letter that another replay has just sent again, and not noted yet, was taken meanwhile', async () => {
    await using open = await world({ maxDeliveryCount: 1 });
    await open.bury(event(1));
    const which = { ...only('sb-1'), began: Date.now() };
    const { take } = ServiceBusDeadLetters.prototype;
    const dying = vi.spyOn(ServiceBusDeadLetters.prototype, 'take');
    dying.mockImplementation(async function (this: ServiceBusDeadLetters, wanted, work, signal) {
      const killedAfter = (held: HeldDeadLetter) => async () => {
        await held.requeue();
        throw new Error('killed');
      };
      return await take.call(this, wanted, (held) => work({ ...held, requeue: killedAfter(held) }), signal);
    });
    await expect(open.call((call) => replayLetters(which, call))).rejects.toThrow('killed');
    dying.mockRestore();
    expect(open.broker.bus.queueState('q')).toMatchObject({ active: 1, deadLettered: 0 });
    expect(await open.call((call) => replayLetters(which, call))).toMatchObject({
      code: 0,
      said: ['1 was replayed or discarded by another meanwhile.'],
    });
  });

  it('3: counts of all those that another replay has taken meanwhile, and calls that no failure', async () => {
    await using open = await world();
    await open.keep(letter('p0/1', event(1)), letter('p0/2', event(2)), letter('p0/3', event(3)));
    const first = Promise.withResolvers<void>();
    // The other one: it has the second letter, and its transaction ends once this replay has come to it.
    const other = transact(open.index, async (tx) => {
      await settleLetter(tx, open.id, 2, 'replayed');
      await first.promise;
    });
    const terminal = recordingTerminal();
    const print = (line: string) => {
      terminal.printed.push(line);
      first.resolve();
    };
    const call = open.calling({ ...terminal, print }, true, new AbortController().signal);
    expect(await replayLetters(all, call)).toBe(0);
    await other;
    expect(lines(terminal.printed).map(({ id, outcome }) => [id, outcome])).toEqual([
      ['eh-1', 'applied'],
      ['eh-3', 'applied'],
    ]);
    expect(terminal.said).toEqual(['1 was replayed or discarded by another meanwhile.']);
  });

  it('3: of two replays of all at once each letter is replayed by one, and both end well', async () => {
    await using open = await world({ maxDeliveryCount: 1 });
    await open.keep(...Array.from({ length: 20 }, (_, at) => letter(`p0/${at}`, event(at))));
    await open.bury(...Array.from({ length: 40 }, (_, at) => event(100 + at)));
    const both = await Promise.all([1, 2].map(() => open.call((call) => replayLetters(all, call), true)));
    const told = both.flatMap(({ printed }) => lines(printed));
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(told.filter(({ outcome }) => outcome === 'applied')).toHaveLength(20);
    expect(told.filter(({ outcome }) => outcome === 'requeued')).toHaveLength(40);
    expect(told).toHaveLength(60);
    expect(open.broker.bus.queueState('q')).toMatchObject({ active: 40, deadLettered: 0 });
  });

  it('says which letters somebody else holds, and leaves them', async () => {
    await using open = await world({ maxDeliveryCount: 1 });
    await open.bury(event(1));
    const holder = open.broker.client.createReceiver('q', { subQueueType: 'deadLetter' });
    await holder.receiveMessages(1, { maxWaitTimeInMs: 2_000 });
    const { code, printed } = await open.call((call) => replayLetters(all, call), true);
    expect([code, lines(printed).map(({ id, outcome }) => [id, outcome])]).toEqual([1, [['sb-1', 'held']]]);
    await holder.close();
  });
});
