import { describe, expect, it } from 'vitest';
import { runCampaign } from './campaign.ts';
import { ECONOMIES, RULES_TAKEN_OUT } from './rules-taken-out.ts';
import { WORLDS } from './world.ts';

describe('the clock rules, held to simulated accounts', () => {
  it('1, 2: every history ends as the source, resurrects nothing, removes nothing live, and a second replay changes nothing', () => {
    const result = runCampaign({ histories: 100 * WORLDS.length, seed: 20_260_101 });
    expect(result.failures).toEqual([]);
    expect(result.histories).toBe(100 * WORLDS.length);
    expect(result.looksOnReplay).toBeLessThan(result.histories / 100);
  });

  it('1, 2: once triggers that print other sequencers are distrusted, the feed read again ends as the source, and again writes nothing', () => {
    const [first, ...more] = WORLDS.filter(({ triggers }) => triggers?.sequencers !== undefined);
    if (first === undefined) throw new Error('no such world');
    const result = runCampaign({ histories: 2_000, seed: 20_261_121, worlds: [first, ...more] });
    expect(result.failures).toEqual([]);
    expect(result.writtenOnReplay).toBe(0);
  });

  it('plays the same history for the same seed', () => {
    const options = { histories: 2 * WORLDS.length, seed: 3 };
    expect(runCampaign(options)).toEqual(runCampaign(options));
  });

  it.each(RULES_TAKEN_OUT)('1, 2: loses the truth where a rule is taken out: $name', (tampering) => {
    const world = WORLDS.find(({ name }) => name === tampering.world);
    expect(world?.name).toBe(tampering.world);
    const { failures } = runCampaign({
      histories: 8_000,
      seed: 9,
      tampering,
      stopAt: 1,
      ...(world === undefined ? {} : { worlds: [world] }),
    });
    expect(failures).toHaveLength(1);
  });

  it.each(ECONOMIES)('1: still finds the truth, later or dearer, where a part is left out: $name', (tampering) => {
    const { failures } = runCampaign({ histories: 10 * WORLDS.length, seed: 5, tampering });
    expect(failures).toEqual([]);
  });
});
