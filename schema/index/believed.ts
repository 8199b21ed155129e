import { type RawBuilder, sql } from 'kysely';
import { REQUEST_CHARACTERS } from '../../namespace/trust.ts';
import type { MeetPolicy } from './upsert-page.ts';

/** Whether the clock of an entry `e` is what it says: `believable`, for a condition. */
export function believed({ triggersTrusted }: MeetPolicy): RawBuilder<boolean> {
  return triggersTrusted === false ? sql`e.source in ('feed', 'replay')` : sql`true`;
}

/**
 * Whether row and entry `e` are one change, told by trigger and feed: what `compareSources` compares. `row` has the
 * source, whether it is live, and the event's id or, as `request`, what of it is the request's.
 */
export function toldByBoth(row: 'x' | 'excluded', request: 'request' | 'event_id'): RawBuilder<boolean> {
  const told = sql.raw(row);
  const id = sql.raw(request === 'request' ? 'x.request' : `left(${row}.event_id, ${REQUEST_CHARACTERS})`);
  return sql`((${told}.source = 'trigger') <> (e.source = 'trigger') and e.source in ('trigger', 'feed', 'replay')
      and ${told}.live = e.live and ${id} = left(e.event_id, ${sql.lit(REQUEST_CHARACTERS)}))`;
}
