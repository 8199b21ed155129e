import type { ByCause } from '../drift/drift-counts.ts';
import type { JobInput } from './control.ts';

/** What a judgement of a sink is asked for with. */
export interface JudgeSinkInput {
  readonly sink: string;
  /** Mends also where more is missing or stray than the percent stop allows. */
  readonly approved?: boolean | undefined;
  /** Takes what is at the sink's root for its view from now on, and has every stub made there; approved as well. */
  readonly newView?: boolean | undefined;
}

export type JudgeSinkJob = JobInput & JudgeSinkInput;

export interface JudgeSinkSummary {
  readonly runId: number;
  readonly sink: string;
  /** `guarded`: so much is missing or stray that nothing was mended. */
  readonly outcome: 'complete' | 'guarded' | 'nothing-to-do';
  readonly reason?: string | undefined;
  /** Files that Isthmus made, and others where nobody else may write. */
  readonly files: number;
  /** Live names of this sink. */
  readonly live: number;
  readonly drift: ByCause;
  readonly repaired: number;
  /** What Isthmus cannot mend: somebody must look. */
  readonly open: number;
  /** What the dispatcher has not done yet. */
  readonly waiting: number;
}
