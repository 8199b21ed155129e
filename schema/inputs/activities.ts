import type { Timestamp } from '../../namespace/entry.ts';

/** One bounded, heartbeating turn of a loop: the activity returns after about this many seconds, or when it is cancelled. */
export interface LoopTurn {
  readonly seconds: number;
}

export interface TriggerTurn {
  readonly messages: number;
  readonly applied: number;
  readonly superseded: number;
  readonly ignored: number;
  readonly deadLettered: number;
}

export interface FeedTurn {
  readonly state: 'tailing' | 'no-feed';
  /** Why there is no feed to read. */
  readonly reason?: string | undefined;
  readonly records: number;
  readonly applied: number;
  readonly superseded: number;
  /** Time of the newest record that is applied. */
  readonly appliedTo?: Timestamp | undefined;
  /** `chunk path @ offset`, for people. */
  readonly position?: string | undefined;
}

export interface LookTurn {
  readonly answered: number;
  readonly pending: number;
}

export interface SweepTurn {
  readonly swept: number;
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
  readonly tombstones: number;
  readonly journal: number;
  readonly runs: number;
}

/** Every activity: workflows call them by this type, `activities/` fulfils it. Inputs and results are small JSON. */
export interface Activities {
  receiveTriggers(turn: LoopTurn): Promise<TriggerTurn>;
  tailFeed(turn: LoopTurn): Promise<FeedTurn>;
  answerLooks(turn: LoopTurn): Promise<LookTurn>;
  sweepIncarnations(turn: LoopTurn): Promise<SweepTurn>;
  dispatchStubs(turn: LoopTurn & { readonly sink: string }): Promise<StubTurn>;
  prepareReconcile(input: ReconcileInput): Promise<PreparedReconcile>;
  stageReconcile(run: ReconcileRun): Promise<{ readonly staged: number }>;
  judgeReconcile(run: ReconcileRun): Promise<{ readonly looks: number }>;
  finishReconcile(run: ReconcileRun): Promise<ReconcileSummary>;
  hydrateFiles(input: HydrateInput): Promise<HydrateSummary>;
  purgeRetention(): Promise<PurgeSummary>;
}
