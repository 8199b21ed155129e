import { describe, expect, it } from 'vitest';
import { runCampaign } from './campaign.ts';
import { DIRECTORY_RULES_TAKEN_OUT } from './rules-taken-out.ts';
import { DIRECTORY_WORLDS } from './world.ts';

describe('directories that are renamed and deleted, in simulated accounts', () => {
  it('1, 2: end as the source, whatever is told of their blobs before, meanwhile and after, and a second replay changes nothing', () => {
    const histories = 400 * DIRECTORY_WORLDS.length;
    const result = runCampaign({ histories, seed: 20_261_122, worlds: DIRECTORY_WORLDS });
    expect(result.failures).toEqual([]);
  });

  it.each(DIRECTORY_RULES_TAKEN_OUT)('1, 2: lose the truth where a part is taken out: $name', (tampering) => {
    const world = DIRECTORY_WORLDS.find(({ name }) => name === tampering.world);
    expect(world?.name).toBe(tampering.world);
    const worlds = world === undefined ? DIRECTORY_WORLDS : ([world] as const);
    const { failures } = runCampaign({ histories: 8_000, seed: 9, tampering, stopAt: 1, worlds });
    expect(failures).toHaveLength(1);
  });
});
