import { CAUSES, type Cause, FINDING_STATES, type FindingState } from '../../schema/drift/cause.ts';
import { currentRuns } from '../../schema/drift/current-runs.ts';
import { IsthmusError } from '../../schema/errors.ts';
import { type DriftFilter, groupFindings, listFindings, prefixesOfFindings } from '../../schema/index/drift-queries.ts';
import { readSeenRun, recentSeenRuns, type SeenRun } from '../../schema/index/run-standing.ts';
import type { DriftOutput } from '../../schema/outputs/drift.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type OpenAccount, openAccount } from '../open-account.ts';
import { findingOutput, runOutputs } from './drift-output.ts';
import { formatDrift } from './format-drift.ts';

export interface ListOptions {
  /** Of this run; without it, of the newest runs. */
  readonly run: number | undefined;
  readonly cause: Cause | undefined;
  readonly prefix: string;
  /** Findings that are shown, beside the counts. */
  readonly limit: number;
  /** What is mended or explained as well. */
  readonly all: boolean;
  readonly repeated: boolean;
  /** Exit 1 where there is any. */
  readonly exitCode: boolean;
}

/** What nobody has mended, and what nobody can say yet. */
const OPEN: readonly FindingState[] = ['looking', 'held', 'open', 'refused'];
/** The newest runs of each judge are among so many. */
const RUNS = 500;
const PREFIXES = 20;

/** `isthmus drift`: what the newest run of each judge found and is not mended. */
export async function listDrift(options: ListOptions, call: Call): Promise<ExitCode> {
  await using open = await openAccount(call);
  const runs = await runsOf(open, options.run);
  // What comes again is told though it was mended each time.
  const states = options.all || options.repeated ? FINDING_STATES : OPEN;
  const { cause, prefix, repeated, limit } = options;
  const filter: DriftFilter = { runs: runs.map(({ id }) => id), states, cause, prefix, repeated };
  const { db } = open.index;
  const groups = await groupFindings(db, filter);
  call.signal.throwIfAborted();
  const prefixes = await prefixesOfFindings(db, filter, PREFIXES);
  const findings = await listFindings(db, filter, limit);
  const output: DriftOutput = {
    runs: await runOutputs(db, runs),
    states: [...states],
    count: groups.reduce((sum, { count }) => sum + count, 0),
    causes: groups.map(({ runId, ...group }) => ({ run: runId, ...group, meaning: CAUSES[group.cause].meaning })),
    prefixes: prefixes.map((each) => ({ ...each })),
    findings: findings.map((finding) => findingOutput(finding, runs)),
  };
  if (call.json) call.terminal.print(JSON.stringify(output));
  else for (const line of formatDrift(output)) call.terminal.print(line);
  return options.exitCode && output.count > 0 ? EXIT.no : EXIT.good;
}

async function runsOf({ index, account }: OpenAccount, asked: number | undefined): Promise<readonly SeenRun[]> {
  if (asked === undefined) return currentRuns(await recentSeenRuns(index.db, account.id, RUNS));
  const run = await readSeenRun(index.db, account.id, asked);
  if (run !== undefined) return [run];
  throw new IsthmusError(
    'ISTHMUS_USAGE',
    `There is no run ${asked}, or no more: \`isthmus drift --trend\` lists those that are kept.`,
  );
}
