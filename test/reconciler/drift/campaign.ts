import { inspect } from 'node:util';
import type { Index } from '../../../schema/index/database.ts';
import { playRound, type RoundResult } from './play-round.ts';
import { RoundFailed } from './played.ts';

export interface DriftCampaign {
  readonly rounds: number;
  readonly raced: number;
  readonly killed: number;
  readonly planted: Readonly<Record<string, number>>;
  /** Each names its seed. */
  readonly failures: readonly string[];
}

export interface DriftCampaignOptions {
  /** The first round's seed; the others follow it. */
  readonly from: number;
  readonly rounds: number;
  /** Stop at this many failures. */
  readonly stopAt?: number;
  readonly onFailure?: (message: string) => void;
  readonly onProgress?: (played: number, failures: number) => void;
}

/** Plays rounds, by their seeds one after the other. */
export async function playRounds(index: Index, options: DriftCampaignOptions): Promise<DriftCampaign> {
  const { from, rounds: wanted, stopAt = 5 } = options;
  const planted: Record<string, number> = {};
  const failures: string[] = [];
  const sums = { raced: 0, killed: 0 };
  let rounds = 0;
  for (; rounds < wanted && failures.length < stopAt; rounds++) {
    const seed = from + rounds;
    const result = await playRound(index, seed, `round${seed}`).catch((error: unknown): RoundResult => {
      const message = error instanceof RoundFailed ? error.message : `SEED=${seed} broke off: ${inspect(error)}`;
      failures.push(message);
      options.onFailure?.(message);
      return { planted: {}, raced: 0, killed: 0 };
    });
    for (const [cause, count] of Object.entries(result.planted)) planted[cause] = (planted[cause] ?? 0) + count;
    sums.raced += result.raced;
    sums.killed += result.killed;
    options.onProgress?.(rounds + 1, failures.length);
  }
  return { rounds, ...sums, planted, failures };
}
