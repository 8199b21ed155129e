import type { Timestamp } from '../../namespace/entry.ts';

/** Time as a parameter: tests pass their own. */
export interface Clock {
  now(): Timestamp;
  /** Rejects with the signal's reason where it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
