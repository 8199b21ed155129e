import type { SourceName } from '../../schema/index/sources.ts';

/** An operator has paused the loop that reads a source. */
export interface LoopPause {
  /** Undefined where who asks has not heard it. */
  readonly reason?: string | undefined;
}

/** The sources whose loops are known to be paused. That none is here proves nothing: Temporal may be away. */
export type LoopPauses = Readonly<Partial<Record<SourceName, LoopPause | undefined>>>;

/** What ends an alarm's message: why nothing is taken, and what to do. */
export function pausedText(source: SourceName, { reason }: LoopPause): string {
  const why = reason === undefined ? '' : ` (${reason})`;
  return `its loop is paused${why}, and goes on with \`isthmus resume ${source}\``;
}
