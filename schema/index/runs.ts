import type { Timestamp } from '../../namespace/entry.ts';
import type { Queryable } from './database.ts';
import { unbuilt } from './unbuilt.ts';

export type Judge = 'listing' | 'inventory' | 'none';
export type RunOutcome = 'complete' | 'rejected' | 'guarded' | 'nothing-to-do' | 'failed';

/** One reconcile. `state` is the reconciler's own (where it stands, what it validated), `counts` what it found. */
export interface Run {
  readonly id: number;
  readonly accountId: number;
  readonly judge: Judge;
  readonly prefix: string;
  /** `container/path` of the report's manifest. */
  readonly manifest: string | undefined;
  readonly outcome: RunOutcome | undefined;
  readonly reason: string | undefined;
  readonly startedAt: Timestamp;
  readonly endedAt: Timestamp | undefined;
  readonly state: Readonly<Record<string, unknown>>;
  readonly counts: Readonly<Record<string, number>>;
}

export interface NewRun {
  readonly judge: Judge;
  readonly prefix: string;
  readonly manifest?: string | undefined;
  readonly state?: Readonly<Record<string, unknown>> | undefined;
}

/** @returns the run's id. */
export async function startRun(_on: Queryable, _accountId: number, _run: NewRun): Promise<number> {
  return unbuilt('startRun');
}

/** @returns undefined where there is no such run. */
export async function readRun(_on: Queryable, _runId: number): Promise<Run | undefined> {
  return unbuilt('readRun');
}

/** Merges these keys into the run's state and counts. */
export async function updateRun(
  _on: Queryable,
  _runId: number,
  _change: {
    readonly state?: Readonly<Record<string, unknown>> | undefined;
    readonly counts?: Readonly<Record<string, number>> | undefined;
  },
): Promise<void> {
  return unbuilt('updateRun');
}

/** Ends a run, once: the first outcome stays. */
export async function finishRun(
  _on: Queryable,
  _runId: number,
  _end: { readonly outcome: RunOutcome; readonly reason?: string | undefined },
): Promise<void> {
  return unbuilt('finishRun');
}

/** Newest first. */
export async function recentRuns(
  _on: Queryable,
  _accountId: number,
  _options: {
    readonly limit: number;
    readonly outcome?: RunOutcome | undefined;
    readonly manifest?: string | undefined;
  },
): Promise<readonly Run[]> {
  return unbuilt('recentRuns');
}

/** One difference between what a judge saw and what the index says, classified by cause. */
export interface DriftFinding {
  readonly container: string;
  readonly name: string;
  readonly cause: string;
  readonly detail?: unknown;
}

export async function recordFindings(
  _on: Queryable,
  _runId: number,
  _findings: readonly DriftFinding[],
): Promise<void> {
  return unbuilt('recordFindings');
}

export async function readFindings(_on: Queryable, _runId: number, _limit: number): Promise<readonly DriftFinding[]> {
  return unbuilt('readFindings');
}
