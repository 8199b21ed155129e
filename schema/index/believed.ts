import { type RawBuilder, sql } from 'kysely';
import { REQUEST_CHARACTERS } from '../../namespace/trust.ts';
import type { MeetPolicy } from './upsert-page.ts';

/** Whether the clock of an entry `e` is what it says: `believable`, for a condition. */
export function believed({ triggersTrusted }: MeetPolicy): RawBuilder<boolean> {
  return triggersTrusted === false ? sql`e.source in ('feed', 'replay')` : sql`true`;
}

/**
 * Whether row and entry `e` are one change, told by trigger and feed: what `compareSources` compares. `row` has the
 * source, whether it is live, and the event's id or its first characters.
 */
export function toldByBoth(row: 'x' | 'excluded', request: 'request' | 'event_id'): RawBuilder<boolean> {
  const [told, id] = [sql.raw(row), sql.raw(`${row}.${request}`)];
  return sql`((${told}.source = 'trigger') <> (e.source = 'trigger') and e.source in ('trigger', 'feed', 'replay')
      and ${told}.live = e.live and left(${id}, ${REQUEST_CHARACTERS}) = left(e.event_id, ${REQUEST_CHARACTERS}))`;
}
