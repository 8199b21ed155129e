import type { Timestamp } from '../../namespace/entry.ts';
import { type Checked, checkFields, inJson, optional, text, type Words, wholeNumber } from './check.ts';

/** The update by which a person decides of a run that waits for approval. */
export const DECIDE = 'decide';

/** Names below one prefix that a run would have deleted, with a few of them. */
export interface PlanPrefix {
  /** A plain prefix of `container/name`. */
  readonly prefix: string;
  readonly names: number;
  /** `container/name`, cut to `PLAN_LIMITS.name`; those of the longest blobs first. */
  readonly examples: readonly string[];
}

/** What a plan holds at most, so that it stays a few KB: it is in workflow histories. */
export const PLAN_LIMITS = { prefixes: 20, examples: 5, name: 120, reason: 400 } as const;

/** What a run that waits would do, as its workflow shows it; the index knows more of it. */
export interface ReconcilePlan {
  readonly runId: number;
  readonly judge: 'listing' | 'inventory';
  /** Of the run: a plain prefix of `container/name`. */
  readonly scope: string;
  readonly waitingSince?: Timestamp | undefined;
  /** Why it must not delete by itself, each in a sentence. */
  readonly tripped: readonly string[];
  /** Live names in the judge's scope. */
  readonly live: number;
  /** What only adds or corrects is done without asking. */
  readonly creates: number;
  readonly updates: number;
  /** Names that are looked at, and deleted where the blob is gone. */
  readonly deletes: number;
  /** The prefixes with the most of them, the largest first. */
  readonly prefixes: readonly PlanPrefix[];
  /** Of the deletes, those that are below none of these prefixes. */
  readonly elsewhere: number;
}

/** A run that an ended workflow left behind: it waits for a decision, or was decided and goes on. */
export interface StandingReconcile {
  readonly runId: number;
  /** Absent where it was decided. */
  readonly plan?: ReconcilePlan | undefined;
}

/** Where a run is, for people. */
export interface ReconcileProgress {
  /** What it does, in a few words. */
  readonly phase: string;
  /** What of this phase is done. */
  readonly done: number;
  /** How much that is of what is to be done, where that is known. */
  readonly of?: number | undefined;
  /** What is counted. */
  readonly unit: string;
  /** Findings by cause so far. */
  readonly causes: Readonly<Record<string, number>>;
}

export type Decision = 'approved' | 'rejected';

/** What the update `decide` takes. */
export interface DecideRequest {
  readonly run: number;
  readonly decision: Decision;
  /** Who decides; kept and shown. */
  readonly who: string;
  /** Kept and shown; a rejection needs one. */
  readonly reason?: string | undefined;
}

/** What became of a decision: `late` where the run does not wait any more, as somebody else has decided, or it has ended. */
export type Decided = 'decided' | 'late';

/** What an undo did. */
export interface UndoSummary {
  readonly runId: number;
  /** Names that were looked at again. */
  readonly looked: number;
  /** Blobs that exist: they are live in the index again. */
  readonly restored: number;
  /** Blobs that do not exist any more: they stay deleted. */
  readonly gone: number;
  /** Looks that are not answered yet; whoever asks again goes on with them. */
  readonly unanswered: number;
  /** The first of those that are gone, as `container/name`. */
  readonly goneNames: readonly string[];
  /** All of it in a few lines for people. */
  readonly report?: readonly string[] | undefined;
}

const WORDS = inJson(DECIDE, { run: 12, decision: 'approved', who: 'ada', reason: 'the folder was to go' });

/** @param words in which a problem is told. */
export function checkDecide(input: unknown, words: Words = WORDS): Checked<DecideRequest> {
  const problem = checkFields(words, input, {
    run: wholeNumber("the run's number"),
    decision: { expected: '"approved" or "rejected"', holds: (value) => value === 'approved' || value === 'rejected' },
    who: text('who decides, in words: it is kept and shown'),
    reason: optional(text('why, in words: it is kept and shown')),
  });
  if (problem !== undefined) return { problem };
  return { value: decisionOf(input as DecideRequest) };
}

/** What is decided by what has been checked. */
export function decisionOf(request: DecideRequest): DecideRequest {
  const { run, decision, who, reason } = request;
  return { run, decision, who: who.trim(), reason: reason?.trim() };
}
