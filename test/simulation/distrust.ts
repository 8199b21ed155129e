import type { BlobEvent } from '../../namespace/change.ts';
import { FIRST_SEQUENCE, sequencerOf } from './account.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

/** How the sequencers of an account's triggers are not the feed's, and what makes that known. At the end it is known in any case. */
export interface Distrust {
  readonly notice: 'by comparing' | 'by chance';
  garble(trigger: BlobEvent): BlobEvent;
}

/** @returns undefined in a world where triggers and feed print the same sequencers. */
export function distrustOf(world: World, random: Random): Distrust | undefined {
  const how = world.triggers?.sequencers;
  if (how === undefined) return undefined;
  const shift = random.pick([-900, -20, -1, 1, 20, 1_000]);
  const numbers = {
    random: () => random.between(1, 2 * FIRST_SEQUENCE),
    shifted: (number: number) => Math.max(1, number + shift),
    reversed: (number: number) => Math.max(1, 2 * FIRST_SEQUENCE - number),
  };
  return {
    notice: random.chance(0.5) ? 'by comparing' : 'by chance',
    garble: (trigger) => {
      const number = Number.parseInt(trigger.sequencer ?? '0', 16);
      return { ...trigger, sequencer: sequencerOf(numbers[how](number)) };
    },
  };
}
