import type { TriggerTurn } from '../schema/inputs/activities.ts';
import type { EventHubIntakeInput } from '../schema/inputs/control.ts';
import { turns } from './activities.ts';
import { runLoop } from './loop.ts';
import { together } from './together.ts';
import { triggerTurn } from './trigger-turn.ts';

/** One consumer group of an event hub: as many readers at a time as are wanted share its partitions; each receives, decides and commits. */
export function eventHubIntake(input: EventHubIntakeInput): Promise<void> {
  return runLoop(input, {
    source: 'event-hubs',
    title: 'Event hub intake',
    doing: 'reading the event hub',
    turn: async (seconds) => {
      const readers = Array.from({ length: input.readers }, (_, at) =>
        turns.receiveEventHub.executeWithOptions({ summary: `reader ${at + 1}: receive, apply` }, [{ seconds }]),
      );
      return sum(await together(readers));
    },
    ...triggerTurn,
  });
}

function sum(readers: readonly TriggerTurn[]): TriggerTurn {
  const slowed = readers.find((reader) => reader.slowed !== undefined)?.slowed;
  const total = { messages: 0, applied: 0, superseded: 0, ignored: 0, deadLettered: 0, slowed };
  for (const reader of readers) {
    total.messages += reader.messages;
    total.applied += reader.applied;
    total.superseded += reader.superseded;
    total.ignored += reader.ignored;
    total.deadLettered += reader.deadLettered;
  }
  return total;
}
