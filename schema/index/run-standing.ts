import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import type { Queryable } from './database.ts';
import type { Judge, RunDecision, RunOutcome } from './runs.ts';

/** A run as whoever watches sees it: without the reconciler's own notes. */
export interface SeenRun {
  readonly id: number;
  readonly judge: Exclude<Judge, 'none'>;
  readonly sink: string | undefined;
  readonly prefix: string;
  /** Whether its judge left names out by its own filters, so that it says nothing of them. */
  readonly filtered: boolean;
  readonly outcome: RunOutcome | undefined;
  readonly reason: string | undefined;
  readonly startedAt: Timestamp;
  readonly endedAt: Timestamp | undefined;
  /** When it last did a step, or was begun. */
  readonly movedAt: Timestamp;
  readonly phase: string | undefined;
  /** Why the last attempt failed, where no step was done since. */
  readonly trouble: string | undefined;
  readonly waitingSince: Timestamp | undefined;
  readonly decision: RunDecision | undefined;
  readonly counts: Readonly<Record<string, number>>;
}

/** What is kept of the runs of one judge. */
export interface JudgeTally {
  readonly judge: Exclude<Judge, 'none'>;
  readonly sink: string | undefined;
  readonly byOutcome: Readonly<Partial<Record<RunOutcome, number>>>;
  /** The moment as of which everything was last judged to its end, by this judge; undefined: never. */
  readonly lastGood: Timestamp | undefined;
}

export interface RunStanding {
  readonly tallies: readonly JudgeTally[];
  /** The newest first: those under way, and those that ended, as far as they are of use to whoever watches. */
  readonly runs: readonly SeenRun[];
  /** When the account was first given rules: from then on somebody wants it judged. */
  readonly wantedSince: Timestamp | undefined;
}

/** Enough for each sink and each judge to be among them, in a federation of few sinks. */
const RUNS = 100;

const SEEN = sql.raw(`id, judge, sink, prefix, outcome, reason, started_at, ended_at,
  coalesce(moved_at, started_at) as moved_at, state ->> 'phase' as phase,
  case when (state #>> '{trouble,at}')::bigint >= coalesce(moved_at, started_at) then state #>> '{trouble,message}' end
    as trouble, waiting_since, decision, counts,
  coalesce(jsonb_array_length(state #> '{inventory,filters,prefixMatch}'), 0) > 0
    or coalesce(jsonb_array_length(state #> '{inventory,filters,excludePrefix}'), 0) > 0
    or state #> '{inventory,filters,createdInLastDays}' is not null as filtered`);

/** Where the runs of an account stand. Cheap: runs are few, and are asked for every few seconds. */
export async function readRunStanding(on: Queryable, accountId: number): Promise<RunStanding> {
  const { rows: tallied } = await sql<TallyRow>`
    select judge, sink, outcome, count(*) as runs,
      max(coalesce((state ->> 'from')::bigint, started_at))
        filter (where prefix = '' and outcome in ('complete', 'guarded')) as last_good
    from runs where account_id = ${accountId} and judge <> 'none'
    group by judge, sink, outcome`.execute(on);
  const { rows: ruled } = await sql<{ at: number | null }>`
    select min(published_at) as at from authority_revisions where account_id = ${accountId}`.execute(on);
  return {
    tallies: talliesOf(tallied),
    runs: await recentSeenRuns(on, accountId, RUNS),
    wantedSince: ruled[0]?.at ?? undefined,
  };
}

/** The newest first, of whatever judge; those that found nothing to judge by are left out. */
export async function recentSeenRuns(on: Queryable, accountId: number, limit: number): Promise<readonly SeenRun[]> {
  const { rows } = await sql<Row>`
    select ${SEEN} from runs where account_id = ${accountId} and judge <> 'none'
    order by id desc limit ${limit}`.execute(on);
  return rows.map(seenRun);
}

/** @returns undefined where the account has no such run. */
export async function readSeenRun(on: Queryable, accountId: number, runId: number): Promise<SeenRun | undefined> {
  const { rows } = await sql<Row>`
    select ${SEEN} from runs where account_id = ${accountId} and id = ${runId}`.execute(on);
  return rows[0] && seenRun(rows[0]);
}

interface TallyRow {
  readonly judge: string;
  readonly sink: string | null;
  readonly outcome: string | null;
  readonly runs: number;
  readonly last_good: number | null;
}

function talliesOf(rows: readonly TallyRow[]): readonly JudgeTally[] {
  const tallies = new Map<string, JudgeTally & { byOutcome: Record<string, number>; lastGood: number | undefined }>();
  for (const { judge, sink, outcome, runs, last_good } of rows) {
    const key = `${judge} ${sink ?? ''}`;
    const of = { judge: judge as JudgeTally['judge'], sink: sink ?? undefined };
    const tally = tallies.get(key) ?? { ...of, byOutcome: {}, lastGood: undefined };
    if (outcome !== null) tally.byOutcome[outcome] = runs;
    if (last_good !== null) tally.lastGood = Math.max(last_good, tally.lastGood ?? last_good);
    tallies.set(key, tally);
  }
  return [...tallies.values()];
}

interface Row {
  readonly id: number;
  readonly judge: string;
  readonly sink: string | null;
  readonly prefix: string;
  readonly filtered: boolean;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly started_at: number;
  readonly ended_at: number | null;
  readonly moved_at: number;
  readonly phase: string | null;
  readonly trouble: string | null;
  readonly waiting_since: number | null;
  readonly decision: string | null;
  readonly counts: Readonly<Record<string, number>>;
}

function seenRun(row: Row): SeenRun {
  return {
    id: row.id,
    judge: row.judge as SeenRun['judge'],
    sink: row.sink ?? undefined,
    prefix: row.prefix,
    filtered: row.filtered,
    outcome: (row.outcome ?? undefined) as RunOutcome | undefined,
    reason: row.reason ?? undefined,
    startedAt: row.started_at,
    endedAt: row.ended_at ?? undefined,
    movedAt: row.moved_at,
    phase: row.phase ?? undefined,
    trouble: row.trouble ?? undefined,
    waitingSince: row.waiting_since ?? undefined,
    decision: (row.decision ?? undefined) as RunDecision | undefined,
    counts: row.counts,
  };
}
