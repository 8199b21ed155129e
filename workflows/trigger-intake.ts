import type { LoopInput } from '../schema/inputs/control.ts';
import { turns } from './activities.ts';
import { runLoop } from './loop.ts';
import { triggerTurn } from './trigger-turn.ts';

/** One queue that Event Grid delivers to: receive, decide, commit, settle. */
export function triggerIntake(input: LoopInput): Promise<void> {
  return runLoop(input, {
    source: 'trigger',
    title: 'Trigger intake',
    doing: 'receiving triggers',
    turn: (seconds) => turns.receiveTriggers.executeWithOptions({ summary: 'receive, apply, settle' }, [{ seconds }]),
    ...triggerTurn,
  });
}
