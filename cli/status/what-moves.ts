import type { Glance } from '../../activities/observability/source-watch.ts';
import { MANY, type Moving } from '../../schema/index/moving.ts';

/** What is still on its way, in words; nothing where all is settled, as far as the sources can tell. */
export function whatMoves(
  { sources }: Pick<Glance, 'sources'>,
  { looks, sweeps, subtrees, stubs, runs }: Moving,
): readonly string[] {
  const moving = sources.flatMap(({ source, behind }) =>
    behind === undefined || source === 'inventory' ? [] : [`${source}: ${behind}`],
  );
  if (looks > 0) moving.push(`look: ${are(looks, 'name')} to be looked at`);
  if (sweeps > 0) moving.push(`sweep: ${are(sweeps, 'container')} to be swept`);
  if (subtrees === 1) moving.push('look: 1 directory that was deleted or renamed is worked off');
  if (subtrees > 1) moving.push(`look: ${atLeast(subtrees)} directories that were deleted or renamed are worked off`);
  for (const { sink, due } of stubs) if (due > 0) moving.push(`stub:${sink}: ${are(due, 'stub')} behind`);
  for (const { id, sink, waits } of runs) {
    const doing = waits ? 'waits until somebody approves or rejects its deletes' : 'is running';
    moving.push(sink === undefined ? `inventory: reconcile ${id} ${doing}` : `sink:${sink}: reconcile ${id} ${doing}`);
  }
  return moving;
}

/** `1 name is`, `2 names are`, `1000 or more names are`. */
function are(count: number, what: string): string {
  return count === 1 ? `1 ${what} is` : `${atLeast(count)} ${what}s are`;
}

function atLeast(count: number): string {
  return count < MANY ? String(count) : `${MANY} or more`;
}
