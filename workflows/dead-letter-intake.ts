import type { LoopInput } from '../schema/inputs/control.ts';
import { turns } from './activities.ts';
import { runLoop } from './loop.ts';

/** The container that Event Grid writes what it gave up on to: read, applied, and what cannot be applied kept. */
export function deadLetterIntake(input: LoopInput): Promise<void> {
  return runLoop(input, {
    source: 'dead-letters',
    title: 'Dead-letter intake',
    doing: 'reading what Event Grid gave up on',
    turn: (seconds) => turns.readDeadLetters.executeWithOptions({ summary: 'list, read, apply, keep' }, [{ seconds }]),
    count: ({ blobs, events, applied, superseded, ignored, kept }) => ({
      blobs,
      events,
      applied,
      superseded,
      ignored,
      kept,
    }),
    note: ({ blobs, events, applied, kept }) =>
      `Last turn: ${blobs} blobs, ${events} events, ${applied} applied, ${kept} kept as dead letters.`,
    rest: ({ more, restSeconds }) =>
      more ? undefined : { why: 'everything in the dead-letter container is read', seconds: restSeconds },
  });
}
