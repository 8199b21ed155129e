import type { Timestamp } from '../../namespace/entry.ts';
import { messageOf } from '../../schema/errors.ts';
import type { SourceName, SourceRow, TriggerSource } from '../../schema/index/sources.ts';
import type { TriggerQueue } from '../../schema/ports/trigger-queue.ts';
import type { Alarm } from './alarm.ts';
import { answerWithin } from './answer-within.ts';
import { type LoopPause, pausedText } from './loop-pause.ts';
import { SILENCE_MS, type SilenceWatch } from './silence.ts';

/** Where one source stands: what it has, what of it the index has, and what somebody must look at. */
export interface SourceHead {
  readonly source: SourceName;
  readonly head: Timestamp | undefined;
  readonly applied: Timestamp | undefined;
  readonly lagMs: number | undefined;
  /** There is, or may be, news that was not taken; in words for people. */
  readonly behind: string | undefined;
  /** Since when there is news and nothing of it was taken, as far as is known. */
  readonly silentSince: Timestamp | undefined;
  /** The news is old enough for an alarm: whether anything is taken of it shows at a second glance. */
  readonly suspect: boolean;
  readonly state: string;
  readonly reason: string | undefined;
  readonly alarms: readonly Alarm[];
}

export interface SourceGlance {
  readonly row: SourceRow | undefined;
  readonly now: Timestamp;
  readonly watch: SilenceWatch;
  /** How long a source must have been watched without progress before it is called silent. */
  readonly patienceMs: number;
  /** Undefined where the loop is not known to be paused. */
  readonly pause?: LoopPause | undefined;
}

const HOUR = 3_600_000;
const ANSWER_MS = 4_000;

/** The transport is asked for its oldest message, so that an intake that stands still cannot hide that there is one. */
export async function triggerHead(
  source: TriggerSource,
  queue: Pick<TriggerQueue, 'oldest'>,
  { row, now, watch, patienceMs, pause }: SourceGlance,
  signal: AbortSignal,
): Promise<SourceHead> {
  const known = standingOf(source, row);
  const where = source === 'trigger' ? 'the queue' : 'the event hub';
  let oldest: Timestamp | undefined;
  let trouble: string | undefined;
  try {
    oldest = await answerWithin(ANSWER_MS, where, signal, () => queue.oldest());
  } catch (error) {
    signal.throwIfAborted();
    trouble = messageOf(error);
  }
  const behind =
    trouble !== undefined ? `${where} cannot be asked` : oldest === undefined ? undefined : `messages wait in ${where}`;
  const standing = { source, behind: behind !== undefined, progress: `${known.applied} ${oldest}` };
  const silentSince = watch.observe(standing, now);
  const late = oldest === undefined ? trouble !== undefined : now - oldest > SILENCE_MS;
  const silent = late && silentSince !== undefined && now - silentSince > patienceMs;
  const why = pause === undefined ? '' : `: ${pausedText(source, pause)}`;
  const message = `${behind}${trouble === undefined ? '' : ` (${trouble})`}, and nothing is being taken${why}`;
  return {
    ...known,
    ...(trouble === undefined ? {} : { state: 'unreachable', reason: trouble }),
    head: oldest === undefined ? known.head : Math.max(oldest, known.head ?? oldest),
    lagMs: oldest === undefined ? known.lagMs : Math.max(0, now - oldest),
    behind,
    silentSince,
    suspect: late,
    alarms: silent ? [{ source, kind: 'silent', since: oldest ?? silentSince, message }] : [],
  };
}

/** A report that did not come within twice its time is missing; before the first, that counts from the account's horizon. Who judges raises the alarm. */
export function inventoryHead(
  row: SourceRow | undefined,
  everyHours: number,
  horizon: Timestamp | undefined,
  now: Timestamp,
): SourceHead {
  const known = standingOf('inventory', row);
  const since = known.applied ?? known.head ?? horizon;
  if (since === undefined || now - since <= 2 * everyHours * HOUR) return known;
  return { ...known, behind: `no report was applied for ${Math.floor((now - since) / HOUR)} hours` };
}

/** What a source last said of itself. */
export function standingOf(source: SourceName, row: SourceRow | undefined): SourceHead {
  const { head, applied, state = 'unheard', reason } = row ?? {};
  const lagMs = head === undefined || applied === undefined ? undefined : Math.max(0, head - applied);
  const quiet = { behind: undefined, silentSince: undefined, suspect: false, alarms: [] };
  return { source, head, applied, lagMs, state, reason, ...quiet };
}
