import { IsthmusError } from '../../schema/errors.ts';
import { readLetter } from '../../schema/index/dead-letters.ts';
import type { DeadletterOutcome } from '../../schema/outputs/deadletter.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { printable } from '../terminal.ts';
import { keptId, parseLetterId, queuedId } from './letter.ts';
import { keptLetters, type OpenLetters, openLetters, queuedLetters } from './open-letters.ts';
import { discarding, outcome, replaying, type Settling } from './settle.ts';

/** Which letters: those of these ids, or all, of one reason where it is given. */
export interface Which {
  readonly ids: readonly string[];
  readonly all: boolean;
  readonly reason?: string | undefined;
}

/** `isthmus deadletter replay`: exit 1 where any of them stays. */
export async function replayLetters(which: Which, call: Call): Promise<ExitCode> {
  return await settleLetters(which, replaying, call);
}

/** `isthmus deadletter discard`: exit 1 where any of them stays. */
export async function discardLetters(which: Which, why: string, call: Call): Promise<ExitCode> {
  if (why.trim() === '') throw new IsthmusError('ISTHMUS_USAGE', 'A discard needs a reason: --reason "why".');
  return await settleLetters(which, (open) => discarding(open, why.trim()), call);
}

/** One letter after the other, each wholly or not at all: an interrupt is heard between two. */
async function settleLetters(which: Which, how: (open: OpenLetters) => Settling, call: Call): Promise<ExitCode> {
  check(which);
  await using open = await openLetters(call);
  const { signal } = call;
  const settling = how(open);
  const counts = { done: 0, stay: 0 };
  const tell = (result: DeadletterOutcome) => {
    const isDone = ['requeued', 'applied', 'discarded'].includes(result.outcome);
    counts[isDone ? 'done' : 'stay'] += 1;
    call.terminal.print(call.json ? JSON.stringify(result) : formatOutcome(result));
  };
  await settleKept(open, which, settling, tell, signal);
  await settleQueued(open, which, settling, tell, signal);
  signal.throwIfAborted();
  if (which.all && counts.done + counts.stay === 0 && !call.json)
    call.terminal.print('There are no such dead letters.');
  return counts.stay === 0 ? EXIT.good : EXIT.no;
}

function check({ ids, all, reason }: Which): void {
  if (all === ids.length > 0) {
    throw new IsthmusError('ISTHMUS_USAGE', 'Name dead letters by their ids, or all of them by --all.');
  }
  if (!all && reason !== undefined) {
    throw new IsthmusError('ISTHMUS_USAGE', 'A reason chooses among all dead letters: it goes with --all.');
  }
  for (const id of ids) parseLetterId(id);
}

async function settleKept(
  open: OpenLetters,
  { ids, all, reason }: Which,
  settling: Settling,
  tell: (result: DeadletterOutcome) => void,
  signal: AbortSignal,
): Promise<void> {
  if (all) {
    for await (const letter of keptLetters(open, reason, signal)) {
      signal.throwIfAborted();
      tell(await settling.kept(letter));
    }
    return;
  }
  const { account, index } = open.services;
  for (const text of ids) {
    const id = parseLetterId(text);
    if ('queued' in id) continue;
    signal.throwIfAborted();
    const found = await readLetter(index.db, account.id, id.kept);
    if (found === undefined || keptId(found.letter) !== text)
      tell(outcome(text, 'gone', { why: 'there is none of this id' }));
    else if (found.state !== 'open') tell(outcome(text, 'gone', { why: `it was ${found.state} already` }));
    else tell(await settling.kept(found.letter));
  }
}

async function settleQueued(
  open: OpenLetters,
  { ids, all, reason }: Which,
  settling: Settling,
  tell: (result: DeadletterOutcome) => void,
  signal: AbortSignal,
): Promise<void> {
  const { queue } = open;
  const wanted = new Set<string>();
  if (all) {
    // Those that are there now: one that is dead-lettered again while the others are replayed is not among them.
    for await (const { sequence } of queuedLetters(open, reason, signal)) wanted.add(sequence);
  }
  for (const text of ids) {
    const id = parseLetterId(text);
    if ('queued' in id) wanted.add(id.queued);
  }
  if (wanted.size === 0) return;
  const left = (await queue?.take(wanted, async (held) => tell(await settling.queued(held)), signal)) ?? wanted;
  signal.throwIfAborted();
  for (const sequence of left) {
    const isThere = (await queue?.find(sequence, signal)) !== undefined;
    const why = isThere
      ? 'somebody else has it under a lock just now, or had a moment ago: try again in a minute'
      : 'there is none of this id';
    tell(outcome(queuedId({ sequence }), isThere ? 'held' : 'gone', { why }));
  }
}

function formatOutcome({ id, outcome: what, why, applied, superseded, ignored, looks }: DeadletterOutcome): string {
  const because = why === null ? '' : `: ${printable(why)}`;
  switch (what) {
    case 'requeued':
      return `${id} is in the queue again: the intake takes it from there.`;
    case 'applied':
      return `${id} is replayed: ${applied} applied, ${superseded} known already, ${ignored} ignored, ${looks} to be looked at.`;
    case 'discarded':
      return `${id} is discarded, and the journal says why.`;
    case 'stays':
      return `${id} stays${because}`;
    case 'held':
      return `${id} cannot be had${because}`;
    default:
      return `${id} is no dead letter${because}`;
  }
}
