import type { Alarm } from './alarm.ts';
import { ALARM_KINDS } from './alarm.ts';
import { pollLimitMs } from './feed-alarms.ts';
import type { Instruments } from './instruments.ts';
import type { Glance } from './source-watch.ts';

/** Where sources stand, as the index and the sources themselves tell it: every worker of a federation shows the same. */
export class StandingMetrics {
  readonly #head;
  readonly #applied;
  readonly #lag;
  readonly #silentSince;
  readonly #lastPoll;
  readonly #pollLimit;
  readonly #lagLimit;
  readonly #readable;
  readonly #openGaps;
  readonly #skipped;
  readonly #distrusted;
  readonly #missedSince;
  readonly #lateSince;
  readonly #lateLimit;
  readonly #alarms;

  constructor(make: Instruments) {
    this.#head = make.gauge('isthmus_source_head_seconds', "Time of a source's newest news, since 1970.", ['source']);
    this.#applied = make.gauge('isthmus_source_applied_seconds', 'Time up to which a source is applied, since 1970.', [
      'source',
    ]);
    this.#lag = make.gauge('isthmus_source_lag_seconds', 'How much older the index is than what the source holds.', [
      'source',
    ]);
    this.#silentSince = make.gauge(
      'isthmus_source_silent_since_timestamp_seconds',
      'Since when a source has had news of which nothing was taken, since 1970; 0 where all is well.',
      ['source'],
    );
    this.#lastPoll = make.gauge(
      'isthmus_feed_last_poll_timestamp_seconds',
      'When the feed last answered a poll, of any worker, since 1970.',
    );
    this.#pollLimit = make.gauge('isthmus_feed_poll_limit_seconds', 'How old the last poll may be.');
    this.#lagLimit = make.gauge('isthmus_feed_lag_limit_seconds', 'How far the index may be behind the feed.');
    this.#readable = make.gauge(
      'isthmus_feed_readable',
      '1 where the feed can be read, 0 where it cannot, with the reason.',
      ['reason'],
    );
    this.#openGaps = make.gauge('isthmus_feed_open_gaps', 'Gaps of the feed that no reconcile has healed.');
    this.#skipped = make.gauge('isthmus_feed_skipped_blocks', 'Bad blocks of the feed that an operator ever skipped.');
    this.#distrusted = make.gauge(
      'isthmus_triggers_distrusted',
      '1 where triggers are not applied, as they contradicted the feed.',
    );
    this.#missedSince = make.gauge(
      'isthmus_trigger_missed_since_timestamp_seconds',
      'Since when something is waited for of which no trigger came, since 1970; 0 where nothing is.',
      ['source'],
    );
    this.#lateSince = make.gauge(
      'isthmus_trigger_late_since_timestamp_seconds',
      'Since when half of the triggers and more come later than the limit, since 1970; 0 where they do not.',
      ['source'],
    );
    this.#lateLimit = make.gauge('isthmus_trigger_late_limit_seconds', 'How late a trigger may be.');
    this.#alarms = make.gauge('isthmus_alarm_raised', '1 where an alarm is raised.', ['source', 'alarm']);
  }

  /** @param raised the alarms that the log has raised. */
  observe({ sources, feed, senders, judges }: Glance, raised: readonly Alarm[]): void {
    for (const { source, head, applied, lagMs, silentSince } of sources) {
      if (head !== undefined) this.#head.set({ source }, head / 1000);
      if (applied !== undefined) this.#applied.set({ source }, applied / 1000);
      if (lagMs !== undefined) this.#lag.set({ source }, lagMs / 1000);
      this.#silentSince.set({ source }, (silentSince ?? 0) / 1000);
    }
    for (const source of new Set<string>([
      ...sources.map((each) => each.source),
      ...judges.map(({ about }) => about),
    ])) {
      for (const alarm of ALARM_KINDS) {
        const is = raised.some((each) => each.source === source && each.kind === alarm);
        this.#alarms.set({ source, alarm }, is ? 1 : 0);
      }
    }
    for (const [source, { judgement }] of Object.entries(senders?.bySource ?? {})) {
      this.#missedSince.set({ source }, (judgement.missedSince ?? 0) / 1000);
      this.#lateSince.set({ source }, (judgement.lateSince ?? 0) / 1000);
    }
    if (senders !== undefined) this.#lateLimit.set(senders.limitMs / 1000);
    if (feed === undefined) return;
    const { judgement, standing, limits } = feed;
    // A feed that was never polled counts from when it was wanted, so that the rule need not know of "never".
    const polled = judgement.sign ?? standing.wantedSince;
    if (polled !== undefined) this.#lastPoll.set(polled / 1000);
    this.#pollLimit.set(pollLimitMs(limits) / 1000);
    this.#lagLimit.set(limits.lagMs / 1000);
    this.#readable.reset();
    this.#readable.set({ reason: judgement.unreadable ?? 'none' }, judgement.unreadable === undefined ? 1 : 0);
    this.#openGaps.set(standing.openGapCount);
    this.#skipped.set(standing.skips);
    this.#distrusted.set(standing.distrustedAt === undefined ? 0 : 1);
  }
}
