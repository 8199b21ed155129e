import type { Timestamp } from '../../namespace/entry.ts';
import { formatKey } from '../../namespace/key.ts';
import { canaryKey } from '../../schema/federation/canary.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { lateLimitMs } from '../../schema/federation/trigger-sources.ts';
import type { Account } from '../../schema/index/accounts.ts';
import type { Queryable } from '../../schema/index/database.ts';
import { type FeedStanding, readFeedStanding } from '../../schema/index/feed-standing.ts';
import { readSources, type SourceRow, TRIGGER_SOURCES, type TriggerSource } from '../../schema/index/sources.ts';
import { readTriggerMinutes, type TriggerMinutes } from '../../schema/index/trigger-minutes.ts';
import { readTriggerWatch, type TriggerWatchRow } from '../../schema/index/trigger-watch.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';
import type { TriggerQueue } from '../../schema/ports/trigger-queue.ts';
import type { Alarm } from './alarm.ts';
import type { FeedLimits } from './feed-alarms.ts';
import { FeedEye } from './feed-eye.ts';
import { type FeedReport, readFeedReport } from './feed-report.ts';
import { type FeedJudgement, type FeedSight, judgeFeed } from './judge-feed.ts';
import type { JudgeHead } from './judge-runs.ts';
import { judgeTriggers, type TriggerJudgement } from './judge-triggers.ts';
import type { LoopPauses } from './loop-pause.ts';
import { RunWatch } from './run-watch.ts';
import { SILENCE_MS, SilenceWatch } from './silence.ts';
import { inventoryHead, type SourceHead, standingOf, triggerHead } from './source-heads.ts';

/** What brings triggers, of each transport that the federation has. */
export type TriggerSources = Readonly<Partial<Record<TriggerSource, Pick<TriggerQueue, 'oldest'> | undefined>>>;

/** What is asked: the sources themselves, so that a loop that stands still cannot hide that there is news. */
export interface AskedSources {
  readonly federation: Federation;
  readonly feed: FeedStore;
  /** Those that the federation has. */
  readonly triggers: TriggerSources | undefined;
}

/** The feed, with all that was seen of it. */
export interface FeedHead {
  readonly judgement: FeedJudgement;
  readonly standing: FeedStanding;
  readonly report: FeedReport;
  readonly limits: FeedLimits;
}

/** Who sends the triggers of one transport, with all that was seen of it. */
export interface TriggerSenderHead {
  readonly judgement: TriggerJudgement;
  readonly watch: TriggerWatchRow | undefined;
  readonly minutes: TriggerMinutes;
}

/** Those who send triggers. */
export interface SendersHead {
  readonly bySource: Readonly<Partial<Record<SourceRow['source'], TriggerSenderHead>>>;
  readonly limitMs: number;
  /** The canary that is written now, as `container/name`. */
  readonly canary: string | undefined;
}

/** One glance at all sources. */
export interface Glance {
  readonly at: Timestamp;
  readonly sources: readonly SourceHead[];
  /** Undefined where the federation names no feed. */
  readonly feed: FeedHead | undefined;
  /** Undefined where the federation names no triggers. */
  readonly senders: SendersHead | undefined;
  /** Who judges the account, and each sink. */
  readonly judges: readonly JudgeHead[];
}

/** Everything that somebody must look at now. */
export function alarmsOf({ sources, judges }: Glance): readonly Alarm[] {
  return [...sources, ...judges].flatMap(({ alarms }) => alarms);
}

/**
 * Watches the sources that a federation names, whether or not the index has heard of them, and who judges. Kept between glances are
 * what was seen without progress, and what the feed need not be asked again. `status`, the monitor's log and its
 * metrics are all made from its glances.
 */
export class SourceWatch {
  readonly #asked: AskedSources;
  readonly #patienceMs: number;
  readonly #silence = new SilenceWatch();
  readonly #eye: FeedEye;
  readonly #runs: RunWatch;

  /** @param patienceMs how long a queue must have been watched without progress before it is called silent. */
  constructor(asked: AskedSources, patienceMs = SILENCE_MS) {
    this.#asked = asked;
    this.#patienceMs = patienceMs;
    this.#eye = new FeedEye(asked.feed);
    this.#runs = new RunWatch(asked.federation);
  }

  /** @param pauses which loops are known to be paused, for the words of alarms alone. */
  async glance(
    on: Queryable,
    account: Pick<Account, 'id' | 'horizon'>,
    now: Timestamp,
    signal: AbortSignal,
    pauses: LoopPauses = {},
  ): Promise<Glance> {
    const { federation, triggers } = this.#asked;
    const { changeFeed, inventory } = federation.sources;
    const rows = await readSources(on, account.id);
    const row = (source: SourceRow['source']) => rows.find((each) => each.source === source);
    const asGlance = { now, watch: this.#silence, patienceMs: this.#patienceMs };
    const heads = TRIGGER_SOURCES.flatMap((source) => {
      const queue = triggers?.[source];
      if (queue === undefined) return [];
      return triggerHead(source, queue, { ...asGlance, row: row(source), pause: pauses[source] }, signal);
    });
    const asSight = { row: row('feed'), now, pause: pauses.feed };
    const [taken, feed, judges] = await Promise.all([
      Promise.all(heads),
      changeFeed === undefined
        ? undefined
        : this.#feed(on, account.id, { ...asSight, limits: limitsOf(changeFeed) }, signal),
      this.#runs.glance(on, account.id, now, { inventory: row('inventory'), pauses }),
    ]);
    const senders = taken.length === 0 ? undefined : await this.#senders(on, account.id, { taken, rows, now, pauses });
    const sources: SourceHead[] = taken.map((head) => {
      const more = senders?.bySource[head.source]?.judgement.alarms ?? [];
      return { ...head, alarms: [...head.alarms, ...more] };
    });
    if (feed !== undefined) sources.push(feed.source);
    if (inventory !== undefined) {
      sources.push(inventoryHead(row('inventory'), inventory.everyHours, account.horizon, now));
    }
    return { at: now, sources, feed: feed?.head, senders, judges };
  }

  /** Who sends triggers is judged by what their intake, the feed and the canary have left in the index. */
  async #senders(
    on: Queryable,
    accountId: number,
    given: {
      readonly taken: readonly SourceHead[];
      readonly rows: readonly SourceRow[];
      readonly now: Timestamp;
      readonly pauses: LoopPauses;
    },
  ): Promise<SendersHead> {
    const { taken, rows, now, pauses } = given;
    const { federation } = this.#asked;
    const limitMs = lateLimitMs(federation.sources);
    const key = canaryKey(federation);
    const canary = key && formatKey(key);
    const [watches, minutes] = await Promise.all([
      readTriggerWatch(on, accountId),
      readTriggerMinutes(on, accountId, now),
    ]);
    const bySource: Partial<Record<SourceRow['source'], TriggerSenderHead>> = {};
    for (const source of TRIGGER_SOURCES) {
      const head = taken.find((each) => each.source === source);
      if (head === undefined) continue;
      const watch = watches.find((each) => each.source === source);
      const judgement = judgeTriggers({
        ...{ now, limitMs, watch, minutes: minutes[source], canary },
        waiting: head.behind !== undefined,
        paused: pauses[source] !== undefined,
        distrusted: rows.some((row) => row.source === source && row.state === 'distrusted'),
      });
      bySource[source] = { judgement, watch, minutes: minutes[source] };
    }
    return { bySource, limitMs, canary };
  }

  async #feed(
    on: Queryable,
    accountId: number,
    given: Pick<FeedSight, 'row' | 'now' | 'pause' | 'limits'>,
    signal: AbortSignal,
  ): Promise<{ readonly source: SourceHead; readonly head: FeedHead }> {
    const { row, now, limits } = given;
    const standing = await readFeedStanding(on, accountId);
    const view = await this.#eye.look(standing, signal);
    const sight = { ...given, standing, view };
    const { news, takenAt } = judgeFeed(sight);
    const watched = { source: 'feed', behind: news !== undefined, progress: `${takenAt}` };
    const judgement = judgeFeed({ ...sight, watchedSince: this.#silence.observe(watched, now) });
    const { head, applied, lagMs, behind, silentSince, alarms } = judgement;
    const said = standingOf('feed', row);
    const trouble =
      view.kind === 'unseen' && said.state !== 'no-feed' ? { state: 'unreachable', reason: view.message } : {};
    const source = { ...said, ...trouble, head, applied, lagMs, behind, silentSince, alarms };
    return { source, head: { judgement, standing, report: readFeedReport(row), limits } };
  }
}

function limitsOf({ pollSeconds, lagLimitSeconds }: { pollSeconds: number; lagLimitSeconds: number }): FeedLimits {
  return { pollMs: pollSeconds * 1000, lagMs: lagLimitSeconds * 1000 };
}
