import { Context } from '@temporalio/activity';
import type { BlobEvent } from '../../namespace/change.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import { formatKey } from '../../namespace/key.ts';
import { IsthmusError } from '../../schema/errors.ts';
import { FeedUnavailableError } from '../../schema/feed/feed-error.ts';
import { segmentTime } from '../../schema/feed/segment-path.ts';
import { applyEvents } from '../../schema/index/apply-events.ts';
import type { FeedSpot, ReplayFeedInput, ReplayTurn } from '../../schema/inputs/activities.ts';
import { applyUnderRules } from '../apply-under-rules.ts';
import { DRIFT_MS, findSegment } from '../azure/feed-find.ts';
import type { FeedEnd, FeedPage, FeedStart, SegmentReading } from '../azure/feed-page.ts';
import { FeedReader } from '../azure/feed-reader.ts';
import { heartbeats } from '../heartbeat.ts';
import { quietly } from '../quietly.ts';
import type { Services } from '../services.ts';
import { Deadline } from './deadline.ts';
import { drainFeed, type FeedConsumer } from './drain-feed.ts';
import { leftOutOf } from './left-out.ts';
import { NothingToReplayError } from './nothing-to-replay.ts';

const PAGE_RECORDS = 5_000;
/** While a segment is being finished it is asked for again this often. */
const AGAIN_MS = 1_000;
/** A page of a very slow replay waits no longer: a turn must end within its time. */
const MOST_PAUSE_MS = 240_000;

type Counts = { -readonly [Name in 'records' | 'applied' | 'superseded' | 'ignored' | 'looks']: number };

/** What is applied again: records of `from` and later, before `to`, of names under `prefix`. */
interface Range {
  readonly from: Timestamp;
  readonly to: Timestamp;
  readonly prefix: string;
}

/**
 * Applies a part of the feed again, beside the tail and without its cursor: its own is carried by whoever calls, and
 * by the heartbeat from attempt to attempt. Nothing is applied where nothing was missing.
 */
export function replayFeed(services: Services): (input: ReplayFeedInput) => Promise<ReplayTurn> {
  return async (input) => {
    const { cancellationSignal: signal, info } = Context.current();
    const beaten = info.heartbeatDetails as ReplayTurn | undefined;
    const turn = new ReplayTurnWork(services, input, beaten, signal);
    using _heartbeats = heartbeats(() => turn.result());
    await quietly(signal, () => turn.run());
    return turn.result();
  };
}

class ReplayTurnWork implements FeedConsumer {
  readonly #services: Services;
  readonly #input: ReplayFeedInput;
  readonly #range: Range;
  readonly #signal: AbortSignal;
  readonly #began: Timestamp;
  readonly #deadline: Deadline;
  readonly #counts: Counts;
  /** Of this attempt, for its pace. */
  #paced = 0;
  #at: FeedStart | undefined;
  #done = false;

  constructor(services: Services, input: ReplayFeedInput, beaten: ReplayTurn | undefined, signal: AbortSignal) {
    this.#services = services;
    this.#input = input;
    this.#range = rangeOf(input);
    this.#signal = signal;
    this.#began = services.clock.now();
    this.#deadline = new Deadline(services.clock, input.seconds);
    const { records = 0, applied = 0, superseded = 0, ignored = 0, looks = 0 } = beaten ?? {};
    this.#counts = { records, applied, superseded, ignored, looks };
    this.#at = startOf(beaten?.at ?? input.cursor);
  }

  result(): ReplayTurn {
    return { done: this.#done, at: this.#at, ...this.#counts };
  }

  /** @throws NothingToReplayError where there is no feed and none of it was read; later on, that is as any other trouble. */
  async run(): Promise<void> {
    try {
      await this.#drain();
    } catch (error) {
      const hasBegun = this.#at !== undefined || !(error instanceof FeedUnavailableError);
      throw hasBegun ? error : new NothingToReplayError(error);
    }
  }

  async begin(segment: SegmentReading): Promise<boolean> {
    if (segment.begin - DRIFT_MS >= this.#range.to) {
      this.#done = true;
      return false;
    }
    if (segment.path !== this.#at?.segment) this.#at = { segment: segment.path, shards: {} };
    return true;
  }

  async take(page: FeedPage): Promise<void> {
    const events = page.events.filter((event) => isIn(event, this.#range));
    if (events.length > 0) {
      const counts = await applyUnderRules(this.#services, (tx, scope) => applyEvents(tx, { ...scope, events }));
      this.#counts.records += events.length;
      this.#counts.applied += counts.applied;
      this.#counts.superseded += counts.superseded;
      this.#counts.looks += counts.looks;
      this.#counts.ignored += Object.values(counts.ignored).reduce((sum, each) => sum + each, 0);
    }
    this.#at = { segment: page.segment, shards: { ...this.#at?.shards, [page.shard]: page.to } };
    await this.#pace(events.length);
  }

  enough(): boolean {
    return this.#signal.aborted || this.#deadline.over;
  }

  async #drain(): Promise<void> {
    const { clock, feed } = this.#services;
    const rate = this.#input.recordsPerSecond;
    const pageRecords = Math.max(1, Math.min(PAGE_RECORDS, Math.ceil(rate ?? PAGE_RECORDS)));
    const leftOut = leftOutOf(this.#services);
    const lanes = rate === undefined ? undefined : 1;
    const reader = new FeedReader(feed, { source: 'replay', pageRecords, lanes, leftOut, now: () => clock.now() });
    this.#at ??= await this.#beginning();
    while (!this.#done && !this.enough()) {
      const end = await drainFeed(reader, this.#at, this, clock, this.#signal);
      if (end === 'enough') return;
      this.#done = this.#isWhole(end);
      if (!this.#done) await clock.sleep(AGAIN_MS, this.#signal);
    }
  }

  async #beginning(): Promise<FeedStart | undefined> {
    if (this.#input.from === undefined) return undefined;
    const segment = await findSegment(this.#services, this.#range.from, this.#signal);
    return segment === undefined ? undefined : { segment, shards: {} };
  }

  /** Everything that is there was read, but for what the newest segment has not yet finished: the tail brings that. */
  #isWhole({ caughtUp, lastConsumable }: FeedEnd): boolean {
    if (caughtUp || lastConsumable === undefined) return true;
    return (segmentTime(this.#at?.segment ?? '') ?? 0) >= lastConsumable;
  }

  async #pace(records: number): Promise<void> {
    const { clock } = this.#services;
    const rate = this.#input.recordsPerSecond;
    if (rate === undefined) return;
    this.#paced += records;
    const due = this.#began + (this.#paced / rate) * 1000;
    const pause = Math.min(MOST_PAUSE_MS, due - clock.now());
    if (pause > 0) await clock.sleep(pause, this.#signal);
  }
}

function isIn(event: BlobEvent, { from, to, prefix }: Range): boolean {
  return event.time >= from && event.time < to && formatKey(event).startsWith(prefix);
}

function rangeOf({ from, to, prefix = '' }: ReplayFeedInput): Range {
  const range = {
    from: from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(from),
    to: to === undefined ? Number.POSITIVE_INFINITY : Date.parse(to),
    prefix,
  };
  if (!Number.isNaN(range.from) && !Number.isNaN(range.to)) return range;
  throw new IsthmusError('ISTHMUS_USAGE', `A replay's times are ISO 8601; it was given from ${from}, to ${to}.`);
}

function startOf(spot: FeedSpot | undefined): FeedStart | undefined {
  return spot === undefined ? undefined : { segment: spot.segment, shards: spot.shards ?? {} };
}
