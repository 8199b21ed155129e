import { allHandlersFinished, condition, continueAsNew, patched, workflowInfo } from '@temporalio/workflow';
import type { FeedSpot, ReplayTurn } from '../schema/inputs/activities.ts';
import { type Checked, timeOfAnyDay } from '../schema/inputs/check.ts';
import { checkReplay, type ReplayJob, type ReplaySummary } from '../schema/inputs/feed-jobs.ts';
import { acceptStart } from './accept.ts';
import { turns } from './activities.ts';
import { Control } from './control.ts';
import { perSecond } from './feed-standing.ts';

const TURN_SECONDS = 10;

/**
 * Reads a range of the feed again and applies it, at its own pace and beside the tail, whose cursor it leaves
 * alone. Everything is idempotent: where nothing was missing nothing is applied. Where it stands is carried here,
 * so a turn that was cut off is done again.
 *
 * @returns what it did, over all its runs.
 */
export async function replay(given: ReplayJob): Promise<ReplaySummary> {
  const { federation, carried, ...request } = acceptStart(checked(given));
  const control = new Control({ federation, source: 'replay', title: `Replay of ${rangeOf(request)}` }, carried);
  let cursor = carried?.cursor;
  while (!workflowInfo().continueAsNewSuggested) {
    let began = 0;
    const turn = await control.attempt(
      cursor === undefined ? 'finding where to begin' : `reading ${cursor.segment}`,
      () => {
        began = Date.now();
        const input = { ...request, seconds: TURN_SECONDS, cursor };
        return turns.replayFeed.executeWithOptions({ summary: 'apply again, page by page' }, [input]);
      },
      { giveUp: true },
    );
    cursor = turn.at ?? cursor;
    const { records, applied, superseded, ignored, looks } = turn;
    control.count(
      { records, applied, superseded, ignored, looks },
      `Last turn: ${records} records, ${applied} applied.`,
    );
    control.stands(standingOf(cursor, turn, (Date.now() - began) / 1000));
    if (turn.done) return finish(control);
  }
  await condition(allHandlersFinished);
  return await continueAsNew<typeof replay>({ federation, ...request, carried: { ...control.carried, cursor } });
}

/** A replay that began when 30 February was taken for 2 March goes on, run after run; one that begins now is refused. */
function checked(given: ReplayJob): Checked<ReplayJob> {
  const now = checkReplay(given);
  const once = checkReplay(given, timeOfAnyDay);
  if ('value' in now || 'problem' in once) return now;
  const hasBegun = once.value.carried !== undefined || !patched('replay-of-days-that-there-are');
  return hasBegun ? once : now;
}

function finish(control: Control): ReplaySummary {
  const { records = 0, applied = 0, superseded = 0, ignored = 0, looks = 0 } = control.carried.totals;
  control.done(
    applied === 0 && looks === 0
      ? `nothing was missing: ${records} records, none applied`
      : `${applied} of ${records} records applied, ${looks} looks asked for`,
  );
  return { records, applied, superseded, ignored, looks };
}

function standingOf(cursor: FeedSpot | undefined, { records }: ReplayTurn, seconds: number) {
  const shards = Object.entries(cursor?.shards ?? {}).slice(0, 20);
  return {
    segment: cursor?.segment,
    shards: shards.map(([shard, { chunk, offset }]) => ({ shard, chunk, offset })),
    recordsPerSecond: perSecond(records, seconds),
  };
}

function rangeOf({ from, to, prefix }: Pick<ReplayJob, 'from' | 'to' | 'prefix'>): string {
  const since = from === undefined ? 'the whole feed' : `the feed from ${from}`;
  return [since, ...(to === undefined ? [] : [`to ${to}`]), ...(prefix === undefined ? [] : [`under ${prefix}`])].join(
    ' ',
  );
}
