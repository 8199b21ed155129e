import type { Timestamp } from '../../namespace/entry.ts';
import type { TriggerMinutes } from '../../schema/index/trigger-minutes.ts';
import { type TriggerWatchRow, UNHEARD_MS } from '../../schema/index/trigger-watch.ts';
import type { Alarm } from './alarm.ts';

/** Everything that is known of the sender of one transport's triggers at one moment. */
export interface TriggerSight {
  readonly now: Timestamp;
  /** How late triggers may be. */
  readonly limitMs: number;
  /** Undefined where its intake has never run. */
  readonly watch: TriggerWatchRow | undefined;
  readonly minutes: TriggerMinutes;
  /** Messages wait, or it cannot be asked whether any do: nothing can be said of who sends them. */
  readonly waiting: boolean;
  /** Its loop is paused, as far as that is known. */
  readonly paused: boolean;
  readonly distrusted: boolean;
  /** The canary that the federation has written now, as `container/name`. */
  readonly canary: string | undefined;
}

/** What follows of it. */
export interface TriggerJudgement {
  /** Since when something was waited for of which no trigger came; undefined where nothing is. */
  readonly missedSince: Timestamp | undefined;
  /** Since when half of the triggers and more come late; undefined where they do not. */
  readonly lateSince: Timestamp | undefined;
  readonly alarms: readonly Alarm[];
}

/**
 * The rule of silence for who sends triggers (invariant 9): a queue that is empty looks the same whether nothing
 * happened or nobody tells. What the feed told, or a canary, says which it is. All of it is read from the index, so
 * that no alarm hangs on the process that received, read the feed or wrote the canary.
 *
 * Nothing is missed where nobody listens, where messages wait that are not taken (that is `silent`), where an operator
 * has paused the intake, nor where triggers are distrusted.
 */
export function judgeTriggers(sight: TriggerSight): TriggerJudgement {
  const missed = missedOf(sight);
  const lateSince = lateOf(sight);
  const found = [
    missed !== undefined && sight.now - missed.since > sight.limitMs ? unannounced(sight, missed) : undefined,
    lateSince === undefined ? undefined : late(sight, lateSince),
  ];
  return { missedSince: missed?.since, lateSince, alarms: found.filter((alarm) => alarm !== undefined) };
}

/** What was to be told, in words, and since when it is waited for. */
interface Missed {
  readonly since: Timestamp;
  readonly what: string;
}

function missedOf({ now, watch, waiting, paused, distrusted, canary }: TriggerSight): Missed | undefined {
  if (watch === undefined || waiting || paused || distrusted || now - watch.heardAt > UNHEARD_MS) return undefined;
  const { untold } = watch;
  const { waitingSince, error } = watch.canary;
  if (untold !== undefined) {
    return {
      since: untold.notedAt,
      what: `no trigger was received since the change of ${untold.name} at ${timeOf(untold.time)}, which the feed told at ${timeOf(untold.notedAt)}`,
    };
  }
  if (canary === undefined || waitingSince === undefined) return undefined;
  const what =
    error === undefined
      ? `no trigger of the canary ${canary} was received, which is written since ${timeOf(waitingSince)}`
      : `the canary cannot be written since ${timeOf(waitingSince)}, so that nobody would notice if triggers stopped: ${error}`;
  return { since: waitingSince, what };
}

/** One message that was delivered again hours later is no alarm: half must be late, and in more than one minute. */
function lateOf({ minutes: { recent }, distrusted }: TriggerSight): Timestamp | undefined {
  const { received, late: count, lateMinutes, lateSince } = recent;
  return !distrusted && lateMinutes > 1 && count * 2 >= received ? lateSince : undefined;
}

function unannounced({ watch }: TriggerSight, { since, what }: Missed): Alarm {
  const source = watch?.source ?? 'trigger';
  const target = source === 'trigger' ? 'the queue' : 'the event hub';
  const look =
    watch?.canary.error === undefined || watch.untold !== undefined
      ? `look whether the event subscription is there and delivers to ${target}, at its filters and at its dead letters; \`isthmus doctor\` checks what a worker may see`
      : 'look whether the container is there, and whether the worker may write that blob (Storage Blob Data Contributor on the container)';
  return { source, kind: 'unannounced', since, message: `${what}: ${look}` };
}

function late({ watch, minutes: { recent }, limitMs }: TriggerSight, since: Timestamp): Alarm {
  const message =
    `${recent.late} of the last ${recent.received} triggers came more than ${limitMs / 1000} s late: look whether the intake ` +
    "keeps up (`isthmus status`), else at the event subscription's delivery metrics and dead letters; `isthmus doctor` checks the queue";
  return { source: watch?.source ?? 'trigger', kind: 'late', since, message };
}

function timeOf(time: Timestamp): string {
  return new Date(time).toISOString();
}
