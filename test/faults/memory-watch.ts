import { execFileSync } from 'node:child_process';

/** Below this many samples there is nothing to tell a slope from. */
const LEAST_SAMPLES = 40;
/** What a process may have grown by that is flat all the same: its heap breathes by as much. */
const BREATH_MIB = 32;
const BREATH_SHARE = 0.1;

export interface MemoryVerdict {
  /** Medians of the first and the last quarter, without the first twentieth, in which caches fill. */
  readonly firstMiB: number;
  readonly lastMiB: number;
  readonly peakMiB: number;
  /** Undefined where the run was too short to say. */
  readonly flat: boolean | undefined;
}

/** Resident memory of a process in MiB; undefined where it is gone. */
export function residentMiB(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  try {
    return (
      Number(
        execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        }),
      ) / 1024
    );
  } catch {
    return undefined;
  }
}

export function judgeMemory(samples: readonly number[]): MemoryVerdict {
  const warm = samples.slice(Math.floor(samples.length / 20));
  const quarter = Math.max(1, Math.floor(warm.length / 4));
  const firstMiB = median(warm.slice(0, quarter));
  const lastMiB = median(warm.slice(-quarter));
  const limit = firstMiB + Math.max(BREATH_MIB, firstMiB * BREATH_SHARE);
  const flat = samples.length < LEAST_SAMPLES ? undefined : lastMiB <= limit;
  return { firstMiB, lastMiB, peakMiB: Math.round(samples.reduce((most, one) => Math.max(most, one), 0)), flat };
}

function median(samples: readonly number[]): number {
  return Math.round(samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] ?? 0);
}
