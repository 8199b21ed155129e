import { type RawBuilder, sql } from 'kysely';
import { REQUEST_CHARACTERS } from '../../namespace/trust.ts';

/** How a routine event is held against an entry: `margin` is M of the clock rules; without looks only epoch and sequencer count. */
export interface MeetPolicy {
  readonly margin: number;
  readonly looks: boolean;
  /** Where they are not, what any but the feed has set is decided one by one. @default true */
  readonly triggersTrusted?: boolean | undefined;
  /** Whether what trigger and feed tell of one change is to be compared: not where no trigger was ever applied, since it costs. */
  readonly compares?: boolean | undefined;
}

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
