import { Context } from '@temporalio/activity';
import { ensureError, IsthmusError } from '../../schema/errors.ts';
import { FeedCorruptError, FeedGapError, FeedUnavailableError } from '../../schema/feed/feed-error.ts';
import type { FeedTurn, LoopTurn } from '../../schema/inputs/activities.ts';
import { FeedReader } from '../azure/feed-reader.ts';
import { heartbeats } from '../heartbeat.ts';
import { quietly } from '../quietly.ts';
import type { Services } from '../services.ts';
import { CursorLost } from './cursor-lost.ts';
import { Deadline } from './deadline.ts';
import { askForHealing, passGap } from './gap.ts';
import { leftOutOf } from './left-out.ts';
import { Pace } from './pace.ts';
import { type FeedState, Standing } from './standing.ts';
import { TailPass } from './tail-pass.ts';
import { ToldFirst } from './told-first.ts';
import { TurnProgress } from './turn-progress.ts';

const POLL_SECONDS = 1;
/** Between polls that are further apart the workflow waits, where it can be woken; not after news, of which more may come. */
const MOST_SECONDS_INSIDE = 2;

export interface TailOptions {
  /** Records that are committed at a time, about. @default 5_000 */
  readonly pageRecords?: number | undefined;
}

/**
 * Tails the account's change feed. Each page commits with its shard's place after it, so that a killed worker repeats
 * at most what was not committed, and an attempt that was overtaken stops without having done anything.
 */
export function tailFeed(services: Services, options: TailOptions = {}): (turn: LoopTurn) => Promise<FeedTurn> {
  const { clock, log, metrics } = services;
  const pollSeconds = services.federation.sources.changeFeed?.pollSeconds ?? POLL_SECONDS;
  const standing = new Standing(services);
  const toldFirst = new ToldFirst(services);
  const pace = new Pace(pollSeconds * 1000);
  const leftOut = leftOutOf(services);
  const newReader = () =>
    new FeedReader(services.feed, { ...options, source: 'feed', leftOut, now: () => clock.now() });
  // Kept from turn to turn for the headers and unfinished blocks that it has. A turn takes it: an attempt that
  // overlaps one which is taken for dead reads by itself.
  let kept: FeedReader | undefined;

  /** Pass after pass, until the turn is over. @returns how the feed is, and how long it is to be left alone. */
  async function poll(
    pass: TailPass,
    progress: TurnProgress,
    deadline: Deadline,
  ): Promise<Partial<FeedTurn> & FeedState> {
    let state: FeedState = { state: 'tailing', reason: pass.gaps };
    while (!deadline.over && !pass.signal.aborted) {
      const before = progress.records;
      const reached = await pass.run();
      if (reached === 'enough') return state;
      metrics.feedPoll();
      const news = progress.records > before;
      state = await standing.reached(progress, pass.gaps, news);
      if (!news && pollSeconds > MOST_SECONDS_INSIDE) return { ...state, restSeconds: pollSeconds };
      await clock.sleep(Math.min(pace.after(news), deadline.leftMs), pass.signal);
    }
    return state;
  }

  /** What an error means for the turn. @returns its answer, where the loop is to go on or to say what is wrong. */
  async function settle(error: unknown, pass: TailPass): Promise<Pick<FeedTurn, 'state' | 'reason' | 'corrupt'>> {
    if (error instanceof FeedGapError) {
      const outcome = await passGap(services, pass.cursor, error, pass.signal);
      if (outcome === 'passed') return { state: 'tailing', reason: await askForHealing(services) };
    }
    if (error instanceof FeedGapError || error instanceof CursorLost) {
      metrics.feedRetry('lost');
      return { state: 'tailing' };
    }
    if (error instanceof FeedUnavailableError) {
      await standing.stopped('no-feed', error.message, { why: error.why });
      return { state: 'no-feed', reason: error.message };
    }
    if (error instanceof FeedCorruptError) {
      const { path: chunk, offset } = error;
      await standing.stopped('stopped', error.message, { corrupt: { chunk, offset } });
      log.error({ chunk, offset }, `Alarm: the feed stops at a damaged block: ${error.message}`);
      return { state: 'corrupt', reason: error.message, corrupt: { chunk, offset } };
    }
    // One that was asked to end is not tried again.
    if (!pass.signal.aborted) metrics.feedRetry(error instanceof IsthmusError ? error.code : ensureError(error).name);
    throw error;
  }

  return async ({ seconds }) => {
    const signal = Context.current().cancellationSignal;
    const deadline = new Deadline(clock, seconds);
    const progress = new TurnProgress(clock.now());
    const reader = kept ?? newReader();
    kept = undefined;
    using _heartbeats = heartbeats(() => progress.turn(clock.now()));
    const pass = new TailPass(services, { reader, progress, standing, toldFirst, deadline, signal });
    let state: Partial<FeedTurn> & Pick<FeedTurn, 'state'> = { state: 'tailing' };
    await quietly(signal, async () => {
      try {
        pass.gaps = await askForHealing(services);
        state = await poll(pass, progress, deadline);
        kept = reader;
      } catch (error) {
        state = await settle(error, pass);
      }
    });
    return { ...progress.turn(clock.now()), ...state };
  };
}
