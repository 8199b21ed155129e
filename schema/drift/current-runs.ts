import type { SeenRun } from '../index/run-standing.ts';

/** Whether the run has judged all that it was to judge, be it that its deletes still wait for a person. */
export function hasJudged({ outcome, waitingSince, decision }: SeenRun): boolean {
  if (outcome !== undefined) return outcome === 'complete' || outcome === 'guarded';
  return waitingSince !== undefined || decision !== undefined;
}

/**
 * The runs whose findings are the newest that is known: those that judged to their end, and of which no newer one has
 * judged all that they did.
 *
 * @param runs the newest first.
 */
export function currentRuns(runs: readonly SeenRun[]): readonly SeenRun[] {
  const current: SeenRun[] = [];
  for (const run of runs) {
    if (hasJudged(run) && !current.some((newer) => covers(newer, run))) current.push(run);
  }
  return current;
}

/** An inventory lists what its rule lets it, a listing every name. */
function covers(newer: SeenRun, older: SeenRun): boolean {
  const ofOneSide = (newer.judge === 'sink') === (older.judge === 'sink') && newer.sink === older.sink;
  const asMuch = newer.judge === older.judge || newer.judge === 'listing' || !newer.filtered;
  return ofOneSide && asMuch && older.prefix.startsWith(newer.prefix);
}

/** `run 12 by a listing of lake/`, `run 13 of sink gpu`. */
export function runText({ id, judge, sink, prefix }: Pick<SeenRun, 'id' | 'judge' | 'sink' | 'prefix'>): string {
  if (judge === 'sink') return `run ${id} of sink ${sink}`;
  const scope = prefix === '' ? 'everything' : prefix;
  return judge === 'inventory' ? `run ${id} by inventory` : `run ${id} by a listing of ${scope}`;
}
