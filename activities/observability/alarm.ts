import type { Logger } from 'pino';
import type { Timestamp } from '../../namespace/entry.ts';
import type { SourceName } from '../../schema/index/sources.ts';

/**
 * What an alarm can be about. `silent`: there is news, and nothing is taken of it. `poll-stopped`: nobody asks the
 * source any more. `lag`: it is taken, but too late. `unreadable`: the account refuses the reader, or has no feed
 * any more. `stopped`: the loop cannot go on by itself. `gap`: records are lost that no reconcile has healed.
 * `distrusted`: triggers are not applied any more, as they contradicted the feed. `unannounced`: no trigger comes for
 * what should have been told. `late`: triggers come, too late. Of a judge: `overdue`: it has judged nothing for twice
 * its time. `waiting-approval`: it stands still until a person decides about its deletes. `failed`: its newest run did.
 * `stuck`: its run does no step any more. `drift`: it found more than there may be. `repeated`: three runs in a row
 * found the same.
 */
export const ALARM_KINDS = [
  ...(['silent', 'poll-stopped', 'lag', 'unreadable', 'stopped', 'gap', 'distrusted'] as const),
  ...(['unannounced', 'late', 'overdue', 'waiting-approval', 'failed', 'stuck', 'drift', 'repeated'] as const),
] as const;
export type AlarmKind = (typeof ALARM_KINDS)[number];

/** What an alarm is about: a source, or who judges. */
export type AlarmSource = SourceName | 'listing' | `sink:${string}`;

/** Something that somebody must look at now. */
export interface Alarm {
  readonly source: AlarmSource;
  readonly kind: AlarmKind;
  /** What is so and what to do, in words. */
  readonly message: string;
  /** Since when it is so, as far as it is known. */
  readonly since: Timestamp | undefined;
}

/** A lag is believed when it is seen twice: a quiet feed's first record makes one that is over at the next glance. */
const BELIEVED_AT: Readonly<Partial<Record<AlarmKind, number>>> = { lag: 2 };

/** Says each alarm in the log once when it rises and once when it is over, however often it is seen meanwhile. */
export class AlarmLog {
  readonly #log: Pick<Logger, 'error' | 'info'>;
  readonly #seen = new Map<string, { readonly alarm: Alarm; readonly at: Timestamp; times: number }>();

  constructor(log: Pick<Logger, 'error' | 'info'>) {
    this.#log = log;
  }

  /** @returns the alarms that are raised now. */
  observe(alarms: readonly Alarm[], now: Timestamp): readonly Alarm[] {
    const raised: Alarm[] = [];
    const current = new Set<string>();
    for (const alarm of alarms) {
      const { source, kind, message, since } = alarm;
      const key = `${source} ${kind}`;
      current.add(key);
      const seen = this.#seen.get(key) ?? { alarm, at: since ?? now, times: 0 };
      this.#seen.set(key, seen);
      seen.times++;
      const believedAt = BELIEVED_AT[kind] ?? 1;
      if (seen.times >= believedAt) raised.push(alarm);
      if (seen.times === believedAt) this.#log.error({ source, alarm: kind, since }, `Alarm: ${source}: ${message}`);
    }
    for (const [key, { alarm, at, times }] of this.#seen) {
      if (current.has(key)) continue;
      this.#seen.delete(key);
      const { source, kind } = alarm;
      if (times < (BELIEVED_AT[kind] ?? 1)) continue;
      const seconds = Math.max(0, Math.round((now - at) / 1000));
      this.#log.info({ source, alarm: kind, seconds }, `Over after ${seconds} s: the alarm of ${source} (${kind})`);
    }
    return raised;
  }
}
