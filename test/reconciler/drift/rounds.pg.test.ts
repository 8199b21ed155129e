import { describe, expect, it } from 'vitest';
import { testIndex } from '../../support/postgres.ts';
import { fewPartitions } from '../support/few-partitions.ts';
import { playRounds } from './campaign.ts';

/** `SEED=n npx vitest run test/reconciler/drift` plays the round of a failure again; `npm run soak` plays thousands. */
const SEED = process.env.SEED;
const ROUNDS = 20;

describe('the judge, held to accounts on which drift was planted while they are written to', () => {
  it('1, 7: finds every difference with its cause, reports none that is not there, and leaves the index as the account', async () => {
    await using db = await testIndex();
    await fewPartitions(db.index);
    const which = SEED === undefined ? { from: 1, rounds: ROUNDS } : { from: Number(SEED), rounds: 1 };
    const { failures, planted } = await playRounds(db.index, which);
    expect(failures).toEqual([]);
    if (SEED === undefined) expect(Object.keys(planted).length).toBeGreaterThanOrEqual(10);
  });
});
