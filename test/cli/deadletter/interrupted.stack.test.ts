import { describe, expect, it, vi } from 'vitest';
import { ServiceBusDeadLetters } from '../../../activities/azure/service-bus-dead-letters.ts';
import { listLetters } from '../../../cli/deadletter/list.ts';
import { replayLetters } from '../../../cli/deadletter/settle-letters.ts';
import { recordingTerminal } from '../recording-terminal.ts';
import { all, event, letter, lines, only, world } from './letters-world.ts';

describe('a replay of dead letters that is interrupted', () => {
  it('leaves every letter whole that it has not come to when it is interrupted', async () => {
    await using open = await world({ maxDeliveryCount: 1 });
    await open.keep(letter('p0/1', event(1)), letter('p0/2', event(2)));
    await open.bury(event(3), event(4));
    for (const left of [
      { kept: 1, queued: 2, told: '1 of the index, and those of the queue' },
      { kept: 0, queued: 2, told: '0 of the index, and those of the queue' },
      { kept: 0, queued: 1, told: '1 of the queue' },
    ]) {
      const stop = new AbortController();
      const terminal = recordingTerminal();
      const print = (line: string) => {
        terminal.printed.push(line);
        stop.abort(new Error('interrupted'));
      };
      const replaying = replayLetters(all, open.calling({ ...terminal, print }, true, stop.signal));
      await expect(replaying).rejects.toThrow('interrupted');
      expect(terminal.printed).toHaveLength(1);
      expect(terminal.said).toEqual([
        `Interrupted: 1 was replayed. Left as they were, as it had not come to them: ${left.told}.`,
      ]);
      expect(open.broker.bus.queueState('q/$DeadLetterQueue')).toMatchObject({ active: left.queued, locked: 0 });
      const kept = await open.call((call) => listLetters({}, call), true);
      expect(lines(kept.printed).filter(({ origin }) => origin === 'event-hubs')).toHaveLength(left.kept);
    }
    expect(await open.names()).toEqual(['blob-1', 'blob-2']);
    expect(open.broker.bus.queueState('q')).toMatchObject({ active: 1 });
  });

  it('does not tell as left, when it is interrupted, what another has taken since it began', async () => {
    await using open = await world({ maxDeliveryCount: 1 });
    await open.bury(event(1), event(2), event(3));
    const holder = open.broker.client.createReceiver('q', { subQueueType: 'deadLetter' });
    const [first] = await holder.receiveMessages(2, { maxWaitTimeInMs: 2_000 });
    if (first === undefined) throw new Error('expected a dead letter');
    const stop = new AbortController();
    const terminal = recordingTerminal();
    let completing: Promise<void> | undefined;
    const print = (line: string) => {
      terminal.printed.push(line);
      completing ??= holder.completeMessage(first);
    };
    const { take } = ServiceBusDeadLetters.prototype;
    let rounds = 0;
    type Taking = Parameters<typeof take>;
    const spy = vi.spyOn(ServiceBusDeadLetters.prototype, 'take');
    using _taking = spy.mockImplementation(async function (this: ServiceBusDeadLetters, ...given: Taking) {
      if (++rounds === 2) stop.abort(new Error('interrupted'));
      return await take.apply(this, given);
    });
    const replaying = replayLetters(all, open.calling({ ...terminal, print }, true, stop.signal));
    await expect(replaying).rejects.toThrow('interrupted');
    await completing;
    await holder.close();
    expect(lines(terminal.printed).map(({ id, outcome }) => [id, outcome])).toEqual([['sb-3', 'requeued']]);
    expect(terminal.said).toEqual([
      'Interrupted: 1 was replayed, 1 was replayed or discarded by another meanwhile. Left as they were, as it had not come to them: 1 of the queue.',
    ]);
  });

  it('says of ids how many it has not come to when it is interrupted', async () => {
    await using open = await world();
    await open.keep(letter('p0/1', event(1, 'other')), letter('p0/2', event(2)), letter('p0/3', event(3)));
    const stop = new AbortController();
    const terminal = recordingTerminal();
    const print = (line: string) => {
      terminal.printed.push(line);
      stop.abort(new Error('interrupted'));
    };
    const call = open.calling({ ...terminal, print }, false, stop.signal);
    await expect(replayLetters(only('eh-1', 'eh-2', 'eh-2', 'sb-4'), call)).rejects.toThrow('interrupted');
    expect(terminal.said).toEqual([
      'Interrupted: 0 were replayed, 1 could not be. Left as they were, as it had not come to them: 2.',
    ]);
  });
});
