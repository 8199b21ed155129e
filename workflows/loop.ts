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
  /** Why the source is to be left alone for a while; undefined to go on at once. */
  rest?(turn: Turn): string | undefined;
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
  setHandler(wakeSignal, () => {
    woken = true;
  });
  while (!workflowInfo().continueAsNewSuggested) {
    const turn = await control.attempt(loop.doing, () => loop.turn(input.turnSeconds));
    control.count(loop.count(turn), loop.note?.(turn));
    const why = loop.rest?.(turn);
    if (why === undefined || control.paused) continue;
    control.waiting(why);
    await condition(() => woken || control.paused, input.idleSeconds * 1000);
    woken = false;
  }
  await condition(allHandlersFinished);
  await continueAsNew<(next: LoopInput) => Promise<void>>({ ...input, carried: control.carried });
}
