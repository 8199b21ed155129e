import { playHistory, type Tell } from './history.ts';
import { type Tampering, UNTOUCHED } from './tampering.ts';
import { Violated } from './witness.ts';
import { WORLDS, type World } from './world.ts';

/** A history that went wrong; `seed` and `stream` play it again. */
export interface Failure {
  readonly world: string;
  readonly seed: number;
  readonly stream: number;
  readonly reason: string;
}

export interface CampaignResult {
  readonly histories: number;
  readonly changes: number;
  readonly looks: number;
  readonly looksOnReplay: number;
  readonly writtenOnReplay: number;
  readonly failures: readonly Failure[];
}

export interface CampaignOptions {
  readonly histories: number;
  readonly seed: number;
  readonly worlds?: readonly [World, ...World[]];
  readonly tampering?: Tampering;
  /** Stop at this many failures. */
  readonly stopAt?: number;
  /** The first history's stream. */
  readonly from?: number;
  readonly tell?: Tell;
  readonly onProgress?: (played: number, failures: number) => void;
}

/** Plays histories, the worlds in turn. Anything but a violation is a fault of the simulation and is thrown. */
export function runCampaign(options: CampaignOptions): CampaignResult {
  const { histories, seed, worlds = WORLDS, tampering = UNTOUCHED, stopAt = 10, from = 0 } = options;
  const failures: Failure[] = [];
  const sums = { changes: 0, looks: 0, looksOnReplay: 0, writtenOnReplay: 0 };
  let played = 0;
  for (; played < histories && failures.length < stopAt; played++) {
    const stream = from + played;
    const world = worlds[stream % worlds.length] ?? worlds[0];
    try {
      const result = playHistory(world, seed, stream, tampering, options.tell);
      sums.changes += result.changes;
      sums.looks += result.looks;
      sums.looksOnReplay += result.looksOnReplay;
      sums.writtenOnReplay += result.writtenOnReplay;
    } catch (error) {
      if (!(error instanceof Violated)) throw error;
      failures.push({ world: world.name, seed, stream, reason: error.message });
    }
    options.onProgress?.(played + 1, failures.length);
  }
  return { histories: played, ...sums, failures };
}
