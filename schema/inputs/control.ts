import type { Timestamp } from '../../namespace/entry.ts';
import type { FeedStanding } from './feed.ts';

/**
 * `running`: a turn is under way. `waiting`: between turns, or the source has nothing to give and said why.
 * `approval`: it waits for a person to decide. `paused`: an operator stopped it. `alarm`: an error stopped it, and
 * somebody must look.
 */
export type ControlState = 'running' | 'waiting' | 'approval' | 'paused' | 'alarm' | 'done';

/** Why a workflow stands still. */
export interface Pause {
  readonly by: 'operator' | 'error';
  readonly reason: string;
  readonly since: Timestamp;
}

/** What the update `pause` takes. Its validator refuses an empty reason. */
export interface PauseRequest {
  readonly reason: string;
}

/** What `progress` answers, and what the updates return. */
export interface Progress {
  readonly state: ControlState;
  readonly pause?: Pause | undefined;
  /** What it is doing or waiting for, in a sentence. */
  readonly doing: string;
  /** Turns, or steps, since the workflow was first started. */
  readonly turns: number;
  /** What was done since the workflow was first started. */
  readonly totals: Readonly<Record<string, number>>;
  /** Of workflows that read the Change Feed. */
  readonly feed?: FeedStanding | undefined;
}

/** What a loop starts with. The rest is carried from run to run. */
export interface LoopInput {
  readonly federation: string;
  /** About how long one turn takes. Each turn costs six events of history. */
  readonly turnSeconds: number;
  /** How long to leave the source alone after a turn that found nothing more. */
  readonly idleSeconds: number;
  readonly carried?: Carried | undefined;
}

/** What a run hands to the next one, so that the workflow goes on showing what it showed. */
export interface Carried {
  readonly pause?: Pause | undefined;
  readonly turns: number;
  readonly totals: Readonly<Record<string, number>>;
  /** The line for people about what was done last. */
  readonly note?: string | undefined;
  readonly feed?: FeedStanding | undefined;
}

export type EventHubIntakeInput = LoopInput & {
  /** Turns at a time, each with a reader of its own; Temporal gives them to whichever workers have room. */
  readonly readers: number;
};

export type StubDispatchInput = LoopInput & { readonly sink: string };

export interface JobInput {
  readonly federation: string;
}

/** What the reconcile's schedule starts with. */
export interface ScheduledReconcileInput extends JobInput {
  readonly account: string;
  /** When the index first had rules of the account: another is another index. Older workers wrote none. */
  readonly index?: string | undefined;
}

/** What the schedule of a sink starts with. */
export interface ScheduledJudgeSinkInput extends JobInput {
  readonly account: string;
  readonly sink: string;
}

/** Names of the updates and the query that every workflow has. */
export const PAUSE = 'pause';
export const RESUME = 'resume';
export const PROGRESS = 'progress';
