import type { Glance } from '../../activities/observability/source-watch.ts';
import { MANY, type Moving } from '../../schema/index/moving.ts';

/** What is still on its way, in words; nothing where all is settled, as far as the sources can tell. */
export function whatMoves({ sources }: Glance, { looks, sweeps, subtrees, stubs, run }: Moving): readonly string[] {
  const moving = sources.flatMap(({ source, behind }) =>
    behind === undefined || source === 'inventory' ? [] : [`${source}: ${behind}`],
  );
  if (looks > 0) moving.push(`look: ${atLeast(looks)} names are to be looked at`);
  if (sweeps > 0) moving.push(`sweep: ${atLeast(sweeps)} containers are to be swept`);
  if (subtrees > 0) moving.push(`look: ${atLeast(subtrees)} directories that were deleted or renamed are worked off`);
  for (const { sink, due } of stubs) if (due > 0) moving.push(`stub:${sink}: ${atLeast(due)} stubs are behind`);
  if (run !== undefined) moving.push(`inventory: reconcile ${run} is running`);
  return moving;
}

function atLeast(count: number): string {
  return count < MANY ? String(count) : `${MANY} or more`;
}
