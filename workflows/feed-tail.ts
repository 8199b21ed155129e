import type { LoopInput } from '../schema/inputs/control.ts';
import { turns } from './activities.ts';
import { runLoop } from './loop.ts';

/** The account's Change Feed, from its cursor to the end of the newest open segment, again and again. */
export function feedTail(input: LoopInput): Promise<void> {
  return runLoop(input, {
    source: 'feed',
    title: 'Feed tail',
    doing: 'reading the Change Feed',
    turn: (seconds) => turns.tailFeed.executeWithOptions({ summary: 'read to the end, page by page' }, [{ seconds }]),
    count: ({ records, applied, superseded }) => ({ records, applied, superseded }),
    note: ({ position, appliedTo, records }) => {
      const at = position === undefined ? 'at no position yet' : `at \`${position}\``;
      const to = appliedTo === undefined ? '' : `, applied to ${new Date(appliedTo).toISOString()}`;
      return `Last turn: ${records} records, ${at}${to}.`;
    },
    rest: ({ state, reason }) => (state === 'no-feed' ? `no feed: ${reason ?? 'none was found'}` : undefined),
  });
}
