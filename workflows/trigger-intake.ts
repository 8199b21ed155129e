import type { LoopInput } from '../schema/inputs/control.ts';
import { turns } from './activities.ts';
import { runLoop } from './loop.ts';

/** One queue that Event Grid delivers to: receive, decide, commit, settle. */
export function triggerIntake(input: LoopInput): Promise<void> {
  return runLoop(input, {
    source: 'trigger',
    title: 'Trigger intake',
    doing: 'receiving triggers',
    turn: (seconds) => turns.receiveTriggers.executeWithOptions({ summary: 'receive, apply, settle' }, [{ seconds }]),
    count: ({ messages, applied, superseded, ignored, deadLettered }) => ({
      messages,
      applied,
      superseded,
      ignored,
      'dead-lettered': deadLettered,
    }),
    note: ({ messages, applied, slowed }) =>
      `Last turn: ${messages} messages, ${applied} applied${slowed === undefined ? '' : `; ${slowed}`}.`,
  });
}
