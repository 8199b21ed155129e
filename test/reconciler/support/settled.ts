import type { World } from './world.ts';

const MINUTE = 60_000;

/** An account of `count` blobs that the index knows, ten minutes ago. */
export async function settled(world: World, count: number): Promise<void> {
  for (let at = 0; at < count; at++) world.blobs.put(at % 2 === 0 ? 'even' : 'odd', `n${String(at).padStart(3, '0')}`);
  await world.reconcile();
  world.blobs.later(10 * MINUTE);
  world.blobs.looks.length = 0;
}
