import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineSignal,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { LoopInput } from '../schema/inputs/control.ts';
import { WAKE } from '../schema/inputs/names.ts';
import { Control } from './control.ts';

/** Why a source is to be left alone, and for how long unless it is woken. */
export interface Rest {
  readonly why: string;
  readonly seconds: number;
}

/** What tells one loop from another. */
export interface Loop<Turn> {
  /** The search attribute `IsthmusSource`. */
  readonly source: string;
  readonly title: string;
  /** What a turn does, in a few words. */
  readonly doing: string;
  turn(seconds: number): Promise<Turn>;
  /** What is added up over turns. */
  count(turn: Turn): Readonly<Record<string, number>>;
  /** A line about the last turn, for people. */
  note?(turn: Turn): string | undefined;
  /** Before the first turn: for what an operator can ask of this loop beside pause and resume. */
  begin?(control: Control, wake: () => void): void;
  /** After each turn that is counted. It may stop the loop in alarm. */
  observe?(control: Control, turn: Turn): void;
  /** Undefined to go on at once. */
  rest?(turn: Turn): Rest | undefined;
}

const wakeSignal = defineSignal(WAKE);

/**
 * One turn after the other, for ever. A turn is one bounded activity (or a few at once), so events never
 * enter history; a new run is begun when Temporal suggests it, with pause, reason and totals carried over.
 * It never ends by itself: an error that no retry mended stops it in alarm until somebody resumes it.
 */
export async function runLoop<Turn>(input: LoopInput, loop: Loop<Turn>): Promise<void> {
  const control = new Control({ federation: input.federation, source: loop.source, title: loop.title }, input.carried);
  let woken = false;
  const wake = () => {
    woken = true;
  };
  setHandler(wakeSignal, wake, { description: 'Ends a rest at once.' });
  loop.begin?.(control, wake);
  while (!workflowInfo().continueAsNewSuggested) {
    const turn = await control.attempt(loop.doing, () => loop.turn(input.turnSeconds));
    control.count(loop.count(turn), loop.note?.(turn));
    loop.observe?.(control, turn);
    const rest = loop.rest?.(turn);
    if (rest === undefined || control.paused) continue;
    control.waiting(rest.why);
    await condition(() => woken || control.paused, rest.seconds * 1000);
    woken = false;
  }
  await condition(allHandlersFinished);
  await continueAsNew<(next: LoopInput) => Promise<void>>({ ...input, carried: control.carried });
}
