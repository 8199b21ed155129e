import { CAUSES, type Cause } from '../../schema/drift/cause.ts';
import { currentRuns } from '../../schema/drift/current-runs.ts';
import { type ByCause, driftByCause, driftOfFindings } from '../../schema/drift/drift-counts.ts';
import type { FindingCount } from '../../schema/index/findings.ts';
import type { SeenRun } from '../../schema/index/run-standing.ts';
import type { Alarm } from './alarm.ts';
import type { JudgeFacts, JudgesSight } from './judge-facts.ts';
import { runAlarms } from './run-alarms.ts';
import type { WantedJudge } from './wanted-judges.ts';

export interface JudgeHead extends JudgeFacts {
  readonly alarms: readonly Alarm[];
}

/** A run does a step every few seconds, or minutes where Postgres is slow. */
const STALL_MS = 15 * 60_000;
/** What an attempt fails by may be over by the next. */
const TROUBLE_MS = 2 * 60_000;
/** A run waits for its looks for an hour, and does no step meanwhile. */
const LOOKS_MS = 60 * 60_000;

/**
 * Where each judge stands, and what somebody must look at: a judge that has not spoken for twice its time (invariant 9),
 * deletes that wait for a person, more drift than there may be, a run that failed or hangs, and drift that comes back.
 */
export function judgeRuns(sight: JudgesSight): readonly JudgeHead[] {
  const { wanted, standing } = sight;
  const current = currentRuns(standing.runs);
  const sinks = new Set(wanted.map(({ sink }) => sink));
  const others = standing.tallies.filter(
    (tally) => !wanted.some((judge) => isSame(judge, tally)) && sinks.has(tally.sink),
  );
  const judges = [...wanted, ...others.map((tally) => ({ ...tally, everyMs: undefined }))];
  return judges.map((judge) => headOf(sight, judge, current));
}

function headOf(
  sight: JudgesSight,
  { judge, sink, everyMs }: Pick<WantedJudge, 'judge' | 'sink'> & { readonly everyMs: number | undefined },
  allCurrent: readonly SeenRun[],
): JudgeHead {
  const { standing } = sight;
  const of = { judge, sink };
  const tally = standing.tallies.find((each) => isSame(each, of));
  const mine = standing.runs.filter((run) => isSame(run, of));
  const current = allCurrent.filter((run) => isSame(run, of));
  const last = mine.find(({ outcome }) => outcome !== undefined);
  const underWay = mine.find(({ outcome, waitingSince }) => outcome === undefined && waitingSince === undefined);
  const findings = current.flatMap(({ id }) => sight.findings.get(id) ?? []);
  const lastGood = tally?.lastGood;
  const head: JudgeFacts = {
    ...of,
    about: sink === undefined ? (judge as 'listing' | 'inventory') : `sink:${sink}`,
    everyMs,
    lastGood,
    waitedSince: lastGood ?? standing.wantedSince,
    byOutcome: tally?.byOutcome ?? {},
    last,
    current,
    underWay,
    waiting: mine.filter(({ outcome, waitingSince }) => outcome === undefined && waitingSince !== undefined).reverse(),
    stallLimitMs: underWay?.phase === 'wait' ? LOOKS_MS + STALL_MS : STALL_MS,
    failed: failedOf(sight, last, underWay),
    drift: driftOf(current, findings),
    findings,
    repeated: repeatedOf(findings),
  };
  return { ...head, alarms: runAlarms(sight, head) };
}

function isSame(one: Pick<SeenRun, 'judge' | 'sink'>, other: Pick<SeenRun, 'judge' | 'sink'>): boolean {
  return one.judge === other.judge && one.sink === other.sink;
}

function failedOf({ now, standing }: JudgesSight, last: SeenRun | undefined, underWay: SeenRun | undefined): boolean {
  if (underWay?.trouble !== undefined && now - underWay.movedAt > TROUBLE_MS) return true;
  // Of a sink nobody is waited for: it ends with nothing mended.
  if (last?.judge === 'sink' && last.outcome === 'guarded') return true;
  return last?.outcome === 'failed' && !standing.runs.some((run) => run.id > last.id && hasEndedOf(run, last.sink));
}

/** The judges of the account take turns: what one could not do, the next one has done. */
function hasEndedOf(run: SeenRun, sink: string | undefined): boolean {
  return run.outcome !== undefined && run.outcome !== 'failed' && run.sink === sink;
}

/** As the run counted it; a run that has not counted yet by what it kept. */
function driftOf(runs: readonly SeenRun[], findings: readonly FindingCount[]): ByCause {
  const drift: Partial<Record<Cause, number>> = {};
  for (const { counts } of runs) add(drift, driftByCause(counts));
  for (const [cause, count] of entriesOf(driftOfFindings(findings))) drift[cause] = Math.max(count, drift[cause] ?? 0);
  return drift;
}

function repeatedOf(findings: readonly FindingCount[]): ByCause {
  const repeated: Partial<Record<Cause, number>> = {};
  for (const { cause, state, repeated: count } of findings) {
    if (count > 0 && CAUSES[cause].drift && state !== 'explained') add(repeated, { [cause]: count });
  }
  return repeated;
}

function add(to: Partial<Record<Cause, number>>, more: ByCause): void {
  for (const [cause, count] of entriesOf(more)) to[cause] = (to[cause] ?? 0) + count;
}

function entriesOf(byCause: ByCause): readonly [Cause, number][] {
  return Object.entries(byCause) as [Cause, number][];
}
