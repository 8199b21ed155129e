import type { HubLoss } from '../../schema/index/event-hub-partitions.ts';
import type { DeadLetters } from '../../schema/index/journal.ts';
import type { StatusOutput } from '../../schema/outputs/status.ts';
import { formatTime } from '../format.ts';
import type { WorkflowStatus } from './workflow-status.ts';

type Sources = StatusOutput['sources'];

/**
 * The sources with what they cannot say of themselves: that the loop which reads them is paused or in alarm, and
 * why (a loop that stands still leaves its last word behind), what was dead-lettered, and what of an event hub is
 * gone unread.
 *
 * @param workflows undefined where Temporal does not answer.
 */
export function tellSources(
  sources: Sources,
  workflows: readonly WorkflowStatus[] | undefined,
  deadLetters: DeadLetters,
  losses: readonly HubLoss[] = [],
): Sources {
  // Of whatever transport: they are counted together.
  const taker = sources.find(({ source }) => source === 'trigger' || source === 'event-hubs');
  return sources.map((source) => {
    const stopped = workflows?.find(
      (each) => each.source === source.source && (each.state === 'paused' || each.state === 'alarm'),
    );
    const standing = stopped === undefined ? {} : { state: stopped.state, reason: stopped.reason };
    const dead = source === taker ? { deadLetters: outputOf(deadLetters) } : {};
    const hubLosses =
      source.source === 'event-hubs' ? losses.map(({ what, lastAt }) => ({ what, lastAt: formatTime(lastAt) })) : [];
    return { ...source, ...standing, ...dead, hubLosses };
  });
}

function outputOf({ byOrigin, last }: DeadLetters): Sources[number]['deadLetters'] {
  return {
    count: byOrigin.reduce((sum, { count }) => sum + count, 0),
    byOrigin: byOrigin.map((each) => ({ ...each })),
    lastReason: last === undefined ? null : `${last.reason}: ${last.description}`,
    lastAt: last === undefined ? null : formatTime(last.at),
  };
}
