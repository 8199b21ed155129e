import { describe, expect, it, vi } from 'vitest';
import { ServiceBusDeadLetters } from '../../../activities/azure/service-bus-dead-letters.ts';
import { listLetters } from '../../../cli/deadletter/list.ts';
import { discardLetters, replayLetters } from '../../../cli/deadletter/settle-letters.ts';
import { showLetter } from '../../../cli/deadletter/show.ts';
import { blobSubject } from '../../../schema/events/blob-subject.ts';
import { readLetter } from '../../../schema/index/dead-letters.ts';
import { recentJournal } from '../../../schema/index/journal.ts';
import { transact } from '../../../schema/index/transact.ts';
import { distrustTriggers, recordMismatches } from '../../../schema/index/trigger-trust.ts';
import { deadletterLine, deadletterOutcome, deadletterShow } from '../../../schema/outputs/deadletter.ts';
import { all, event, letter, lines, only, world } from './letters-world.ts';

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

  it('shows what to do about a letter that no replay would mend', async () => {
    await using open = await world();
    const bad = { data: { ...event(1).data, contentLength: '7' } };
    const subject = blobSubject({ container: 'lake', name: "it's $1" });
    const strange = event(4, 'other');
    const renamed = { ...event(2), ...bad, subject };
    await open.keep(letter('1', event(1, 'contoso', bad)), letter('2', renamed), letter('3', [event(3), renamed]));
    await open.keep(letter('4', strange), letter('5', 'torn'));
    const last = async (id: string) => (await open.call((call) => showLetter(id, call))).printed.at(-1);
    const takes = 'takes what the account has of it, whatever the letter says; then';
    const removes = (id: string) => `\`isthmus deadletter discard ${id} --reason "..."\` removes the letter.`;
    expect(await last('eh-1')).toBe(`\`isthmus reconcile --prefix lake/blob-1\` ${takes} ${removes('eh-1')}`);
    expect(await last('eh-2')).toBe(`\`isthmus reconcile --prefix 'lake/it'\\''s $1'\` ${takes} ${removes('eh-2')}`);
    expect(await last('eh-3')).toBe(`\`isthmus reconcile\` ${takes} ${removes('eh-3')}`);
    expect(await last('eh-4')).toBe(removes('eh-4'));
    expect(await last('eh-5')).toBe(removes('eh-5'));
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

  it('notes what it is about to send again, and as replayed only what was sent', async () => {
    await using open = await world({ maxDeliveryCount: 1 });
    await open.bury(event(1));
    const noted = async () => {
      const notes = await recentJournal(open.index.db, open.id, { limit: 10 });
      return notes.map(({ kind, detail }) => [kind, (detail as { id: string }).id]);
    };
    const { take } = ServiceBusDeadLetters.prototype;
    const refusing = vi.spyOn(ServiceBusDeadLetters.prototype, 'take');
    refusing.mockImplementation(async function (this: ServiceBusDeadLetters, wanted, work, signal) {
      const requeue = async () => {
        throw new Error("Unauthorized access. 'Send' claim(s) are required.");
      };
      return await take.call(this, wanted, (held) => work({ ...held, requeue }), signal);
    });
    await expect(open.call((call) => replayLetters(all, call))).rejects.toThrow("'Send'");
    expect(await noted()).toEqual([['dead-letter-replaying', 'sb-1']]);
    refusing.mockRestore();
    expect((await open.call((call) => replayLetters(all, call))).code).toBe(0);
    expect(await noted()).toEqual([
      ['dead-letter-replayed', 'sb-1'],
      ['dead-letter-replaying', 'sb-1'],
      ['dead-letter-replaying', 'sb-1'],
    ]);
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
