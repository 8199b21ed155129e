import type { Timestamp } from '../../namespace/entry.ts';
import { IsthmusError } from '../../schema/errors.ts';
import { COUNTED_LETTERS, countOpenLetters, readLetter } from '../../schema/index/dead-letters.ts';
import type { DeadletterOutcome } from '../../schema/outputs/deadletter.ts';
import type { HeldDeadLetter } from '../../schema/ports/dead-letter-queue.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { printable } from '../terminal.ts';
import { keptId, parseLetterId, queuedId } from './letter.ts';
import { keptLetters, type OpenLetters, openLetters, queuedLetters, whyMissing } from './open-letters.ts';
import { discarding, outcome, replaying, type Settling, TAKEN } from './settle.ts';
import { isTakenSince } from './taken-meanwhile.ts';
import { Tally } from './tally.ts';

const HELD = 'somebody else has it under a lock just now, or had a moment ago: try again in a minute';

/** Which letters: those of these ids, or all, of one reason where it is given. */
export interface Which {
  readonly ids: readonly string[];
  readonly all: boolean;
  /** The code for which they are dead letters. */
  readonly reason?: string | undefined;
  /** When the command was typed, by this machine's clock: what was taken since was taken meanwhile. @default now */
  readonly began?: Timestamp | undefined;
}

/** A command under way: which letters, what is done with each, and what has become of them. */
interface Run {
  readonly open: OpenLetters;
  readonly which: Which;
  readonly settling: Settling;
  readonly tally: Tally;
  /** Tells what became of one, and counts it: of one that somebody else took meanwhile, as no failure. */
  readonly tell: (result: DeadletterOutcome, isTaken?: boolean) => void;
  readonly signal: AbortSignal;
  readonly began: Timestamp;
  /** Those of the queue that it has not come to; undefined while it is not known which those are. */
  waiting?: Set<string>;
}

/** `isthmus deadletter replay`: exit 1 where any of them stays. */
export async function replayLetters(which: Which, call: Call): Promise<ExitCode> {
  return await settleLetters(which, 'replayed', replaying, call);
}

/** `isthmus deadletter discard`: exit 1 where any of them stays. */
export async function discardLetters(which: Which, why: string, call: Call): Promise<ExitCode> {
  if (why.trim() === '') throw new IsthmusError('ISTHMUS_USAGE', 'A discard needs a reason: --reason "why".');
  return await settleLetters(which, 'discarded', (open) => discarding(open, why.trim()), call);
}

/** One letter after the other, each wholly or not at all: an interrupt is heard between two, and told what is left. */
async function settleLetters(
  which: Which,
  verb: 'replayed' | 'discarded',
  how: (open: OpenLetters) => Settling,
  call: Call,
): Promise<ExitCode> {
  check(which);
  const began = which.began ?? Date.now();
  await using open = await openLetters(call);
  const { signal, terminal } = call;
  const tally = new Tally(verb);
  const tell = (result: DeadletterOutcome, isTaken = false) => {
    if (isTaken) tally.addMet(1);
    else tally.add(result);
    terminal.print(call.json ? JSON.stringify(result) : formatOutcome(result));
  };
  const run: Run = {
    open,
    which: { ...which, ids: [...new Set(which.ids)] },
    began,
    settling: how(open),
    tally,
    tell,
    signal,
  };
  try {
    await settleKept(run);
    await settleQueued(run);
    signal.throwIfAborted();
  } catch (error) {
    if (signal.aborted) terminal.say(tally.interrupted(await leftOf(run)));
    throw error;
  }
  const met = tally.met();
  if (met !== undefined) terminal.say(`${met}.`);
  if (which.all && tally.seen === 0 && !call.json) terminal.print('There are no such dead letters.');
  return tally.stay === 0 ? EXIT.good : EXIT.no;
}

function check({ ids, all, reason }: Which): void {
  const refuse = (message: string) => new IsthmusError('ISTHMUS_USAGE', message);
  const listed = '`isthmus deadletter list` prints them';
  if (all && ids.length > 0) {
    throw refuse('--all takes every dead letter, and ids take those that they name: give one of the two.');
  }
  if (!all && ids.length === 0) {
    throw refuse(`No dead letter is named: give ids (${listed}), or --all.`);
  }
  if (!all && reason !== undefined) {
    throw refuse('--dead-letter-reason chooses among all dead letters: it goes with --all, and not with ids.');
  }
  for (const id of ids) parseLetterId(id);
}

/** Tells of a letter that was named that it is none any more. */
async function tellGone({ open, began, tell }: Run, id: string, why: string): Promise<void> {
  const isTaken = await isTakenSince(open, id, began);
  tell(outcome(id, 'gone', { why: isTaken ? TAKEN : why }), isTaken);
}

async function settleKept(run: Run): Promise<void> {
  const { open, which, settling, tally, tell, signal } = run;
  if (which.all) {
    for await (const letter of keptLetters(open, which.reason, signal)) {
      signal.throwIfAborted();
      const result = await settling.kept(letter);
      // It was open when it was listed.
      if (result.outcome === 'gone') tally.addMet(1);
      else tell(result);
    }
    return;
  }
  const { account, index } = open.services;
  for (const text of which.ids) {
    const id = parseLetterId(text);
    if ('queued' in id) continue;
    signal.throwIfAborted();
    const found = await readLetter(index.db, account.id, id.kept);
    if (found === undefined || keptId(found.letter) !== text)
      tell(outcome(text, 'gone', { why: whyMissing(open, id, found?.letter) }));
    else if (found.state !== 'open') await tellGone(run, text, `it was ${found.state} already`);
    else {
      const result = await settling.kept(found.letter);
      tell(result, result.outcome === 'gone');
    }
  }
}

async function settleQueued(run: Run): Promise<void> {
  const { open, which, signal } = run;
  const wanted = new Set<string>();
  if (which.all) {
    // Those that are there now: one that is dead-lettered again while the others are replayed is not among them.
    for await (const { sequence } of queuedLetters(open, which.reason, signal)) wanted.add(sequence);
  }
  for (const text of which.ids) {
    const id = parseLetterId(text);
    if ('queued' in id) wanted.add(id.queued);
  }
  run.waiting = wanted;
  if (wanted.size > 0) await takeQueued(run, wanted);
}

/**
 * What another command holds is waited for as long as any of it goes: two that replay all at once are both done when
 * the last letter is.
 */
async function takeQueued(run: Run, waiting: Set<string>): Promise<void> {
  const { open, which, settling, tally, tell, signal } = run;
  const settle = async (held: HeldDeadLetter) => {
    tell(await settling.queued(held));
    waiting.delete(held.letter.sequence);
  };
  for (let asked: ReadonlySet<string> = new Set(waiting); ; ) {
    const left = (await open.queue?.take(asked, settle, signal)) ?? asked;
    signal.throwIfAborted();
    const held = left.size === 0 ? left : await stillQueued(open, left, signal);
    const gone = [...left].filter((sequence) => !held.has(sequence));
    for (const sequence of gone) waiting.delete(sequence);
    if (which.all) tally.addMet(gone.length);
    else {
      for (const sequence of gone) {
        await tellGone(run, queuedId({ sequence }), whyMissing(open, { queued: sequence }));
      }
    }
    if (held.size > 0 && held.size < asked.size) {
      asked = held;
      continue;
    }
    for (const sequence of held) {
      tell(outcome(queuedId({ sequence }), 'held', { why: HELD }));
      waiting.delete(sequence);
    }
    return;
  }
}

async function stillQueued(
  open: OpenLetters,
  sequences: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const there = new Set<string>();
  for await (const { sequence } of queuedLetters(open, undefined, signal)) {
    if (sequences.has(sequence)) there.add(sequence);
    if (there.size === sequences.size) break;
  }
  return there;
}

/** What an interrupted command has not come to, in words. Nothing is asked of Service Bus for it. */
async function leftOf({ open, which, tally, waiting }: Run): Promise<string> {
  if (!which.all) return String(which.ids.length - tally.seen);
  if (waiting !== undefined) return `${waiting.size} of the queue`;
  const { account, index } = open.services;
  const counts = await countOpenLetters(index.db, account.id);
  const counted = (reason?: string) =>
    counts.reduce((sum, each) => sum + (reason === undefined || each.reason === reason ? each.count : 0), 0);
  const least = counted() < COUNTED_LETTERS ? '' : 'at least ';
  const kept = `${least}${Math.max(0, counted(which.reason) - tally.stay)} of the index`;
  return open.queue === undefined ? kept : `${kept}, and those of the queue`;
}

function formatOutcome({ id, outcome: what, why, applied, superseded, ignored, looks }: DeadletterOutcome): string {
  const because = why === null ? '' : `: ${printable(why)}`;
  switch (what) {
    case 'requeued':
      return `${id} is in the queue again: the intake takes it from there.`;
    case 'applied':
      return `${id} is replayed: ${applied} applied, ${superseded} known already, ${ignored} ignored, ${looks} to be looked at.`;
    case 'discarded':
      return `${id} is discarded: \`isthmus deadletter show ${id}\` says why.`;
    case 'stays':
      return `${id} stays${because}`;
    case 'held':
      return `${id} cannot be had${because}`;
    default:
      return `${id} is no dead letter${because}`;
  }
}
