import type { Timestamp } from '../../namespace/entry.ts';
import type { ByCause } from '../../schema/drift/drift-counts.ts';
import type { FindingCount } from '../../schema/index/findings.ts';
import type { JudgeTally, RunStanding, SeenRun } from '../../schema/index/run-standing.ts';
import type { AlarmSource } from './alarm.ts';
import type { LoopPauses } from './loop-pause.ts';
import type { WantedJudge } from './wanted-judges.ts';

/** Everything that is known of the judges at one moment. */
export interface JudgesSight {
  readonly now: Timestamp;
  readonly wanted: readonly WantedJudge[];
  readonly standing: RunStanding;
  /** Of each current run, the findings that are kept. */
  readonly findings: ReadonlyMap<number, readonly FindingCount[]>;
  /** More drift than this in what is newest of a judge is an alarm. */
  readonly driftLimit: number;
  /** What the inventory's reader last said where it found nothing to judge by. */
  readonly noReport: string | undefined;
  /** The newest run of the account's inventory rule that left nothing to judge by, where no report was judged since. */
  readonly unusable: string | undefined;
  readonly pauses: LoopPauses;
}

/** What is so of one judge: of the account by listings or by inventory, or of one sink. */
export interface JudgeFacts extends Pick<SeenRun, 'judge' | 'sink'> {
  readonly about: AlarmSource;
  /** How often it must have judged everything; undefined where it is only asked now and then. */
  readonly everyMs: number | undefined;
  /** The moment as of which it last judged everything to its end. */
  readonly lastGood: Timestamp | undefined;
  /** Since when it is waited for: as `lastGood`, before the first since it is wanted. */
  readonly waitedSince: Timestamp | undefined;
  readonly byOutcome: JudgeTally['byOutcome'];
  /** The newest that ended, however it did. */
  readonly last: SeenRun | undefined;
  /** The newest of those that ended well or wait, whose findings are the newest of their names. */
  readonly current: readonly SeenRun[];
  readonly underWay: SeenRun | undefined;
  /** Those that stand still until a person decides, the one that has longest first. */
  readonly waiting: readonly SeenRun[];
  /** How long the one under way may do no step. */
  readonly stallLimitMs: number;
  /** Whether the newest run failed, or the one under way has not got on since an attempt failed. */
  readonly failed: boolean;
  readonly drift: ByCause;
  readonly findings: readonly FindingCount[];
  /** Drift that three runs in a row found, or more. */
  readonly repeated: ByCause;
}
