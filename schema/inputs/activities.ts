import type { Timestamp } from '../../namespace/entry.ts';
import type { JudgeSinkInput, JudgeSinkSummary } from './judge-sink.ts';
import type {
  Decided,
  DecideRequest,
  ReconcilePlan,
  ReconcileProgress,
  StandingReconcile,
  UndoSummary,
} from './reconcile.ts';

/** One bounded, heartbeating turn of a loop: the activity returns after about this many seconds, or when it is cancelled. */
export interface LoopTurn {
  readonly seconds: number;
}

/** `applied + superseded + ignored + deadLettered` are the events of so many messages; a rename is two. */
export interface TriggerTurn {
  readonly messages: number;
  readonly applied: number;
  readonly superseded: number;
  readonly ignored: number;
  readonly deadLettered: number;
  /** Why fewer were taken than could have been, in words for people. */
  readonly slowed?: string | undefined;
}

/** One turn of reading Event Grid's dead-letter container. `applied + superseded + ignored + kept` are its events; a rename is two. */
export interface DeadLetterTurn {
  readonly blobs: number;
  readonly events: number;
  readonly applied: number;
  readonly superseded: number;
  readonly ignored: number;
  /** What could not be applied: events, and blobs that are no JSON. */
  readonly kept: number;
  /** Whether blobs are left that were not read yet. */
  readonly more: boolean;
  /** How long the container is to be left alone where there is no more. */
  readonly restSeconds: number;
}

/** Where a shard stands: the block that is not yet wholly applied. */
export interface FeedPlace {
  readonly shard: string;
  readonly chunk: string;
  readonly offset: number;
}

export interface FeedTurn {
  /** `corrupt`: a block cannot be read; the shards beside it were read to their end. */
  readonly state: 'tailing' | 'no-feed' | 'corrupt';
  /** Why there is no feed to read, or what is wrong with the block. */
  readonly reason?: string | undefined;
  readonly records: number;
  readonly applied: number;
  readonly superseded: number;
  readonly bytes: number;
  /** How long the turn took. */
  readonly seconds: number;
  /** Whether everything that is known to be in the feed is applied. */
  readonly caughtUp: boolean;
  /** How long the feed is to be left alone now, where the turn does not poll by itself. */
  readonly restSeconds?: number | undefined;
  /** Time of the newest record that is applied. */
  readonly appliedTo?: Timestamp | undefined;
  readonly segment?: string | undefined;
  /** At most the first twenty. */
  readonly shards?: readonly FeedPlace[] | undefined;
  /** From the newest moment that the feed has something of to the newest that is applied. */
  readonly lagSeconds?: number | undefined;
  /** The bad block, as `skipFeedBlock` takes it. */
  readonly corrupt?: { readonly chunk: string; readonly offset: number } | undefined;
}

/** A place in the feed: a segment, and of each shard in it where to go on; a shard that is not named begins anew. */
export interface FeedSpot {
  readonly segment: string;
  readonly shards?:
    | Readonly<Record<string, { readonly chunk: string; readonly offset: number; readonly index: number }>>
    | undefined;
}

/** Exactly one of `to` (ISO 8601), `seconds` (ago) and `cursor` is there. */
export interface RewindInput {
  readonly to?: string | undefined;
  readonly seconds?: number | undefined;
  readonly cursor?: FeedSpot | undefined;
  readonly reason: string;
}

export interface SkipInput {
  readonly chunk: string;
  /** Of the bad block. */
  readonly offset: number;
  readonly reason: string;
}

/** One bounded turn of a replay. Times are ISO 8601; records of `from` and later, before `to`. */
export interface ReplayFeedInput {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** A plain prefix of `container/name`. */
  readonly prefix?: string | undefined;
  readonly recordsPerSecond?: number | undefined;
  /** About how long the turn takes. */
  readonly seconds: number;
  /** Where the turn before stopped. */
  readonly cursor?: FeedSpot | undefined;
}

export interface ReplayTurn {
  readonly done: boolean;
  /** Where the next turn goes on. */
  readonly at?: FeedSpot | undefined;
  readonly records: number;
  readonly applied: number;
  readonly superseded: number;
  readonly ignored: number;
  readonly looks: number;
}

export interface LookTurn {
  readonly answered: number;
  readonly pending: number;
}

export interface SweepTurn {
  readonly swept: number;
}

export interface SubtreeTurn {
  /** Entries that went with a directory. */
  readonly gone: number;
  /** Directories that were deleted or renamed, and are not gone through or not listed yet. */
  readonly directories: number;
}

export interface StubTurn {
  readonly written: number;
  readonly removed: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly pending: number;
}

export interface ReconcileInput {
  /** `auto`: a listing until one over everything is complete under the live rules, from then on the newest report that no run has used, else nothing; without an inventory, a listing a day. */
  readonly judge: 'auto' | 'listing' | 'inventory';
  /** A plain prefix of `container/name`; only a listing can be asked for less than everything. */
  readonly prefix?: string | undefined;
  /** `container/path` of a manifest, where a completion event named it. */
  readonly manifest?: string | undefined;
}

export interface PreparedReconcile {
  readonly runId: number;
  readonly judge: 'listing' | 'inventory' | 'none';
  readonly reason?: string | undefined;
}

export interface ReconcileRun {
  readonly runId: number;
}

export interface ReconcileSummary {
  readonly runId: number;
  readonly judge: 'listing' | 'inventory' | 'none';
  readonly outcome: 'complete' | 'rejected' | 'guarded' | 'nothing-to-do';
  readonly reason?: string | undefined;
  readonly listed: number;
  readonly agreed: number;
  readonly filled: number;
  readonly applied: number;
  readonly looks: number;
  readonly missing: number;
  /** Findings by their cause; absent before there were any. */
  readonly causes?: Readonly<Record<string, number>> | undefined;
  /** Findings by what became of them. */
  readonly states?: Readonly<Record<string, number>> | undefined;
  /** All of it in a few lines for people. */
  readonly report?: readonly string[] | undefined;
}

export interface HydrateInput {
  /** A plain prefix of `container/name`. */
  readonly prefix: string;
  readonly requestId: string;
}

export interface HydrateSummary {
  readonly files: number;
  readonly already: number;
  readonly bytes: number;
  readonly failed: number;
  /** The first few failures, for people. */
  readonly failures: readonly string[];
}

export interface PurgeSummary {
  /** Of blobs and of directories. */
  readonly tombstones: number;
  readonly journal: number;
  readonly runs: number;
}

/** Every activity: workflows call them by this type, `activities/` fulfils it. Inputs and results are small JSON. */
export interface Activities {
  receiveTriggers(turn: LoopTurn): Promise<TriggerTurn>;
  /** A reader of the event hub; several at once share its partitions. */
  receiveEventHub(turn: LoopTurn): Promise<TriggerTurn>;
  readDeadLetters(turn: LoopTurn): Promise<DeadLetterTurn>;
  tailFeed(turn: LoopTurn): Promise<FeedTurn>;
  /** Sets the cursor back, or on. Pages in flight lose their compare-and-set (invariant 3). */
  rewindFeed(input: RewindInput): Promise<{ readonly segment: string }>;
  /** Moves the one shard that stands at this block to the next whole one; gives up where none does. */
  skipFeedBlock(input: SkipInput): Promise<{ readonly from: number; readonly to: number }>;
  /** Applies records again, beside the tail and without its cursor. */
  replayFeed(input: ReplayFeedInput): Promise<ReplayTurn>;
  answerLooks(turn: LoopTurn): Promise<LookTurn>;
  sweepIncarnations(turn: LoopTurn): Promise<SweepTurn>;
  /** Directories that were deleted or renamed: goes through what the index has below them, and has them listed. */
  workSubtrees(turn: LoopTurn): Promise<SubtreeTurn>;
  dispatchStubs(turn: LoopTurn & { readonly sink: string }): Promise<StubTurn>;
  prepareReconcile(input: ReconcileInput): Promise<PreparedReconcile>;
  stageReconcile(run: ReconcileRun): Promise<{ readonly staged: number }>;
  /** Runs that wait for a decision, and those that were decided and have not ended. */
  standingReconciles(): Promise<{ readonly runs: readonly StandingReconcile[] }>;
  /** With its plan where the run waits for a decision; asked again after that, it goes on. */
  judgeReconcile(run: ReconcileRun): Promise<{ readonly looks: number; readonly plan?: ReconcilePlan | undefined }>;
  decideReconcile(request: DecideRequest): Promise<{ readonly decided: Decided }>;
  reconcileProgress(run: ReconcileRun): Promise<ReconcileProgress>;
  finishReconcile(run: ReconcileRun): Promise<ReconcileSummary>;
  undoReconcile(run: ReconcileRun): Promise<UndoSummary>;
  /** Starts a run that judges a sink, or takes up the one that this workflow has begun. */
  prepareJudgeSink(input: JudgeSinkInput): Promise<ReconcileRun>;
  judgeSink(of: ReconcileRun & { readonly sink: string }): Promise<JudgeSinkSummary>;
  hydrateFiles(input: HydrateInput): Promise<HydrateSummary>;
  purgeRetention(): Promise<PurgeSummary>;
}
