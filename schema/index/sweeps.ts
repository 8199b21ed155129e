import type { ClockPolicy } from '../../namespace/decision.ts';
import type { Account } from './accounts.ts';
import type { Index } from './database.ts';
import { unbuilt } from './unbuilt.ts';

/** A container whose dead incarnations are to be written down, claimed for a while. */
export interface SweepClaim {
  readonly containerId: number;
  readonly container: string;
  /** Moves when the container dies again: a sweep that began before starts over. */
  readonly round: number;
}

/** Claims one container that is due for a sweep, skipping those that others hold. */
export async function claimSweep(_index: Index, _accountId: number, _leaseMs: number): Promise<SweepClaim | undefined> {
  return unbuilt('claimSweep');
}

export interface SweepStep {
  /** Entries that became tombstones in this step. */
  readonly swept: number;
  /** Entries too near the container's end to tell: looks were queued. */
  readonly looks: number;
  /** Nothing is left to sweep; the claim is released. */
  readonly done: boolean;
}

/** Sweeps the next `limit` entries of the container, in key order, and keeps where it stopped. One transaction. */
export async function sweepStep(
  _index: Index,
  _sweep: {
    readonly account: Account;
    readonly claim: SweepClaim;
    readonly ruleRevision: number;
    readonly policy: Pick<ClockPolicy, 'margin'>;
    readonly limit: number;
    readonly leaseMs: number;
  },
): Promise<SweepStep> {
  return unbuilt('sweepStep');
}
