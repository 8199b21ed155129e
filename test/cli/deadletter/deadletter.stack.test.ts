import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ServiceBusDeadLetters } from '../../../activities/azure/service-bus-dead-letters.ts';
import type { Call } from '../../../cli/call.ts';
import { listLetters } from '../../../cli/deadletter/list.ts';
import { discardLetters, replayLetters } from '../../../cli/deadletter/settle-letters.ts';
import { showLetter } from '../../../cli/deadletter/show.ts';
import type { QueueOptions } from '../../../infra/local/service-bus/message-queue.ts';
import { blobSubject } from '../../../schema/events/blob-subject.ts';
import { ensureAccount } from '../../../schema/index/accounts.ts';
import { publishRules } from '../../../schema/index/authority-revisions.ts';
import { keepDeadLetters, type NewDeadLetter, readLetter, settleLetter } from '../../../schema/index/dead-letters.ts';
import { recentJournal } from '../../../schema/index/journal.ts';
import { listEntries } from '../../../schema/index/queries.ts';
import { transact } from '../../../schema/index/transact.ts';
import { distrustTriggers, recordMismatches } from '../../../schema/index/trigger-trust.ts';
import { deadletterLine, deadletterOutcome, deadletterShow } from '../../../schema/outputs/deadletter.ts';
import { testBroker } from '../../infra/service-bus/broker.ts';
import { testIndex } from '../../support/postgres.ts';
import { type RecordingTerminal, recordingTerminal } from '../recording-terminal.ts';

const TIME = '2026-11-21T13:00:00Z';

function event(number: number, account = 'contoso', more: object = {}) {
  return {
    id: `id-${number}`,
    topic: `/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/${account}`,
    subject: blobSubject({ container: 'lake', name: `blob-${number}` }),
    eventType: 'Microsoft.Storage.BlobCreated',
    eventTime: TIME,
    data: {
      ...{ api: 'PutBlob', eTag: `0x${number}`, contentLength: 7, blobType: 'BlockBlob' },
      sequencer: number.toString(16).padStart(48, '0'),
    },
    ...more,
  };
}

function letter(messageId: string, body: unknown, reason = 'unknown-account'): NewDeadLetter {
  const description = `it was \u001b[31m${reason}`;
  return { origin: 'event-hubs', messageId, body, reason, description, enqueuedAt: Date.parse(TIME) };
}

/** An account `contoso` with a queue `q`, as commands find them. */
async function world(queue: Partial<QueueOptions> = {}) {
  await using made = new AsyncDisposableStack();
  const db = made.use(await testIndex());
  const broker = made.use(await testBroker(queue));
  const folder = await mkdtemp(path.join(tmpdir(), 'isthmus-dead-'));
  made.defer(() => rm(folder, { recursive: true }));
  const config = path.join(folder, 'federation.yaml');
  await writeFile(
    config,
    `name: lake
account: { name: contoso }
sources: { serviceBus: { connectionString: '${broker.bus.connectionString}', queue: q } }
sinks: { gpu: { kind: fileView, root: . } }
rules: [{ prefix: '', authority: blob, sink: gpu }]
`,
  );
  const { id } = await ensureAccount(db.index, 'contoso');
  await publishRules(db.index, id, [{ prefix: '', authority: 'blob', sink: 'gpu' }], 'a test');
  const stack = made.move();
  const calling = (terminal: RecordingTerminal, json: boolean, signal: AbortSignal): Call => ({
    ...{ env: { DATABASE_URL: db.url }, terminal, signal, json, config },
  });
  const call = async (command: (call: Call) => Promise<number>, json = false) => {
    const terminal = recordingTerminal();
    const code = await command(calling(terminal, json, new AbortController().signal));
    return { code, printed: terminal.printed, said: terminal.said };
  };
  return {
    index: db.index,
    id,
    broker,
    call,
    calling,
    keep: (...letters: NewDeadLetter[]) => transact(db.index, (tx) => keepDeadLetters(tx, id, letters)),
    /** Sends messages and gives each back as often as the queue lets one. */
    bury: async (...bodies: unknown[]) => {
      for (const [at, body] of bodies.entries()) await broker.bus.publish('q', { messageId: `m${at}`, body });
      const receiver = broker.client.createReceiver('q');
      while (broker.bus.queueState('q').active > 0) {
        for (const each of await receiver.receiveMessages(10, { maxWaitTimeInMs: 1_000 })) {
          await receiver.abandonMessage(each);
        }
      }
      await receiver.close();
    },
    names: async () => (await listEntries(db.index.db, id, { prefix: '', limit: 100 })).map(({ name }) => name),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const all = { ids: [], all: true };
const only = (...ids: string[]) => ({ ids, all: false });
const lines = (printed: readonly string[]) => printed.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('isthmus deadletter', () => {
  it('lists every origin with what can be read of it, and prints no control character', async () => {
    await using open = await world({ maxDeliveryCount: 3 });
    await open.keep(letter('p0/1', [event(1), event(2)]), {
      ...letter('b.json#0', '{"torn', 'not-json'),
      origin: 'event-grid',
    });
    await open.bury(event(3));
    const listed = await open.call((call) => listLetters({}, call), true);
    const letters = listed.printed.map((line) => deadletterLine.parse(JSON.parse(line)));
    expect(letters).toMatchObject([
      { id: 'eh-1', origin: 'event-hubs', subject: event(1).subject, events: 2, deliveryCount: null },
      { id: 'eg-2', origin: 'event-grid', eventType: null, subject: null, events: null, reason: 'not-json' },
      {
        id: 'sb-1',
        origin: 'service-bus',
        subject: event(3).subject,
        reason: 'MaxDeliveryCountExceeded',
        deliveryCount: 3,
      },
    ]);
    const { code, printed } = await open.call((call) => listLetters({}, call));
    expect([code, printed.join('').includes('\u001b')]).toEqual([0, false]);
    expect(printed.join('\n')).toContain('\\u001b[31mnot-json');
    const some = await open.call((call) => listLetters({ reason: 'not-json' }, call), true);
    expect(lines(some.printed)).toMatchObject([{ id: 'eg-2' }]);
  });

  it('shows what would come of a letter now, and changes nothing by that', async () => {
    await using open = await world({ maxDeliveryCount: 1 });
    await open.bury(event(1));
    const show = () => open.call((call) => showLetter('sb-1', call), true);
    const foreseen = deadletterShow.parse(lines((await show()).printed)[0]);
    expect(foreseen.replay).toMatchObject({
      ...{ refused: null, applied: 1, superseded: 0 },
      entries: [{ container: 'lake', name: 'blob-1', effect: 'put', live: false }],
    });
    expect(await open.names()).toEqual([]);
    expect(lines((await show()).printed)[0]).toEqual(foreseen);
    expect(JSON.parse(foreseen.body)).toEqual(event(1));
    expect((await open.call((call) => showLetter('sb-99', call))).code).toBe(1);
    await expect(open.call((call) => showLetter('17', call))).rejects.toMatchObject({ code: 'ISTHMUS_USAGE' });
  });

  it('3: replays what the index keeps by the path of every trigger, once, and leaves what still cannot be applied', async () => {
    await using open = await world();
    await open.keep(letter('p0/1', event(1)), letter('p0/2', event(2, 'other')), letter('p0/3', event(3), 'bad-event'));
    const replayed = await open.call((call) => replayLetters({ ...all, reason: 'unknown-account' }, call), true);
    expect(replayed.code).toBe(1);
    expect(replayed.printed.map((line) => deadletterOutcome.parse(JSON.parse(line)))).toMatchObject([
      { id: 'eh-1', outcome: 'applied', applied: 1 },
      { id: 'eh-2', outcome: 'stays', why: expect.stringContaining("account 'other'") },
    ]);
    expect(await open.names()).toEqual(['blob-1']);
    expect(lines((await open.call((call) => listLetters({}, call), true)).printed).map(({ id }) => id)).toEqual([
      'eh-2',
      'eh-3',
    ]);
    const again = await open.call((call) => replayLetters(only('eh-1'), call));
    expect([again.code, again.printed[0]]).toEqual([1, 'eh-1 is no dead letter: it was replayed already']);
    expect((await open.call((call) => replayLetters(only('eh-3'), call))).code).toBe(0);
    expect(await open.names()).toEqual(['blob-1', 'blob-3']);
  });

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

  it('replays what a letter tells of this account beside what it tells of another', async () => {
    await using open = await world();
    await open.keep(letter('p0/1', [event(1), event(2, 'other')]));
    const { code, printed } = await open.call((call) => replayLetters(only('eh-1'), call), true);
    expect(code).toBe(0);
    expect(lines(printed)).toMatchObject([{ id: 'eh-1', outcome: 'applied' }]);
  });

  it('sends the dead letters of the queue to it again, and keeps back what would only come here again', async () => {
    await using open = await world({ maxDeliveryCount: 2, duplicateWindowMs: 600_000 });
    await open.bury(event(1), event(2, 'other'), event(3));
    const { code, printed } = await open.call((call) => replayLetters(all, call), true);
    expect(code).toBe(1);
    expect(lines(printed)).toMatchObject([
      { id: 'sb-1', outcome: 'requeued' },
      { id: 'sb-2', outcome: 'stays', why: expect.stringContaining('unknown-account') },
      { id: 'sb-3', outcome: 'requeued' },
    ]);
    expect(open.broker.bus.queueState('q')).toMatchObject({ active: 2, deadLettered: 1, duplicates: 0 });
  });

  it('keeps what would not be applied while triggers are distrusted', async () => {
    await using open = await world({ maxDeliveryCount: 1 });
    await open.keep(letter('p0/1', event(1)));
    await open.bury(event(2));
    await transact(open.index, (tx) => recordMismatches(tx, open.id, { mismatched: 1, mismatches: [] }));
    await distrustTriggers(open.index, open.id);
    const { code, printed } = await open.call((call) => replayLetters(all, call), true);
    expect([code, ...lines(printed).map(({ outcome }) => outcome)]).toEqual([1, 'stays', 'stays']);
    expect(lines(printed)[0]?.why).toContain('isthmus triggers trust');
    expect(await readLetter(open.index.db, open.id, 1)).toMatchObject({ state: 'open' });
    expect(open.broker.bus.queueState('q')).toMatchObject({ active: 0, deadLettered: 1 });
  });

  it('shows what is no change of a blob in words', async () => {
    await using open = await world();
    const subject = blobSubject({ container: 'lake', name: 'old' });
    const data = { api: 'DeleteDirectory', recursive: 'true', sequencer: '1' };
    await open.keep(
      letter('p0/1', event(1, 'contoso', { eventType: 'Microsoft.Storage.DirectoryDeleted', subject, data })),
    );
    const { printed } = await open.call((call) => showLetter('eh-1', call));
    expect(printed).toContain('  the directory lake/old was deleted: what the index has below it is gone through');
  });

  it('discards with a reason, which the journal keeps and a letter shows', async () => {
    await using open = await world({ maxDeliveryCount: 1 });
    await open.keep(letter('p0/1', 'x', 'not-json'), letter('p0/2', event(2)));
    await open.bury(event(3));
    await expect(open.call((call) => discardLetters(all, ' ', call))).rejects.toMatchObject({ code: 'ISTHMUS_USAGE' });
    const first = await open.call((call) => discardLetters({ ...all, reason: 'not-json' }, 'a test', call), true);
    expect([first.code, lines(first.printed)]).toMatchObject([0, [{ id: 'eh-1', outcome: 'discarded' }]]);
    const second = await open.call((call) => discardLetters(only('sb-1', 'eh-9'), 'a test too', call), true);
    expect([second.code, lines(second.printed).map((line) => line.outcome)]).toEqual([1, ['gone', 'discarded']]);
    expect(await readLetter(open.index.db, open.id, 1)).toMatchObject({ state: 'discarded' });
    const notes = await recentJournal(open.index.db, open.id, { limit: 10, kind: 'dead-letter-discarded' });
    expect(notes.map(({ detail }) => detail)).toMatchObject([
      { id: 'sb-1', why: 'a test too', subject: event(3).subject },
      { id: 'eh-1', why: 'a test' },
    ]);
    expect(open.broker.bus.queueState('q')).toMatchObject({ active: 0, deadLettered: 0 });

    const kept = await open.call((call) => showLetter('eh-1', call));
    expect(kept.printed.at(-1)).toMatch(/^It was discarded at 2\d{3}-.*: a test$/);
    const queued = await open.call((call) => showLetter('sb-1', call));
    expect(queued).toMatchObject({
      code: 1,
      said: [expect.stringMatching(/^sb-1 .* discarded at 2.*: a test too\.$/)],
    });
    const { printed } = await open.call((call) => showLetter('eh-1', call), true);
    expect(deadletterShow.parse(lines(printed)[0])).toMatchObject({
      ...{ state: 'discarded', discarded: { why: 'a test' } },
    });
  });

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

  it('says of an id that names nothing what there is', async () => {
    await using open = await world();
    await open.keep(letter('p0/1', event(1)));
    const { code, printed } = await open.call((call) => replayLetters(only('eg-1', 'eh-7', 'sb-7'), call));
    const none = 'there is none of this id, and `isthmus deadletter list` prints those that there are';
    expect([code, ...printed]).toEqual([
      1,
      'eg-1 is no dead letter: the letter of this number is eh-1',
      `eh-7 is no dead letter: ${none}`,
      `sb-7 is no dead letter: ${none}`,
    ]);
    const shown = await open.call((call) => showLetter('eg-1', call));
    expect(shown).toMatchObject({ code: 1, said: ['eg-1 is no dead letter: the letter of this number is eh-1.'] });
  });

  it('takes no number for one of Service Bus that has more than 64 bits', async () => {
    await using open = await world();
    await expect(open.call((call) => showLetter('sb-9223372036854775808', call))).rejects.toThrow(
      "'sb-9223372036854775808' is no dead letter's id",
    );
  });

  it('asks for ids or for all, and not for both', async () => {
    await using open = await world();
    const told = {
      'No dead letter is named': only(),
      'give one of the two': { ids: ['eh-1'], all: true },
      '--dead-letter-reason chooses among all dead letters': { ids: ['eh-1'], all: false, reason: 'not-json' },
    };
    for (const [message, which] of Object.entries(told)) {
      await expect(open.call((call) => replayLetters(which, call))).rejects.toMatchObject({
        ...{ code: 'ISTHMUS_USAGE', message: expect.stringContaining(message) },
      });
    }
  });
});
