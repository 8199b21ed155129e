import type { Timestamp } from '../../namespace/entry.ts';
import type { TriggerSource } from '../../schema/index/sources.ts';
import { oldestStubMs } from '../../schema/index/stubs.ts';
import type { Services } from '../services.ts';

/** A batch that took longer to be committed means that the index is slow. */
const INDEX_SLOW_MS = 5_000;
/** A stub that has waited longer without being begun means that the sinks do not keep up. */
const STUBS_LATE_MS = 60_000;
const ASK_EVERY_MS = 5_000;
/** Between two batches, where the sinks do not keep up: with batches of 1,000, at most 2,000 messages a second. */
const PAUSE_MS = 500;

type Watched = Pick<Services, 'account' | 'clock' | 'federation' | 'index' | 'log' | 'metrics'>;

/**
 * Slows the intake where what comes after it does not keep up, and says why. Messages then wait in their queue, where
 * they cost nothing, and what is behind gets the machine. It never stops the intake: the index is worth having
 * without stubs, and a sink may be away for long.
 */
export class Slowing {
  readonly #services: Watched;
  readonly #source: TriggerSource;
  #indexMs = 0;
  #stubMs = 0;
  #askedAt: Timestamp = Number.NEGATIVE_INFINITY;

  constructor(services: Watched, source: TriggerSource) {
    this.#services = services;
    this.#source = source;
  }

  /** Why the intake is slowed, in words for people; undefined where it is not. */
  get reason(): string | undefined {
    if (this.#stubMs > STUBS_LATE_MS) {
      return `slowed, for stubs have waited for ${Math.round(this.#stubMs / 1_000)} s: the sinks do not keep up`;
    }
    if (!this.indexIsSlow) return undefined;
    return `slowed, for the index took ${Math.round(this.#indexMs / 1_000)} s for a batch`;
  }

  get indexIsSlow(): boolean {
    return this.#indexMs > INDEX_SLOW_MS;
  }

  /** After the commit of a batch, or where none came. @param batchMs from its first attempt to its commit; 0 for none. */
  async observe(batchMs: number): Promise<void> {
    const { account, clock, federation, index, log, metrics } = this.#services;
    const before = this.reason;
    this.#indexMs = batchMs;
    const age = clock.now() - this.#askedAt;
    if (age < 0 || age >= ASK_EVERY_MS) {
      this.#askedAt = clock.now();
      // One that is named no more is dispatched to by nobody, and would slow the intake for ever.
      this.#stubMs = await oldestStubMs(index.db, account.id, Object.keys(federation.sinks));
    }
    metrics.triggersSlowed(this.#source, { index: this.indexIsSlow, stubs: this.#stubMs > STUBS_LATE_MS });
    const { reason } = this;
    if (reason !== undefined && before === undefined) log.warn({ reason }, 'triggers are taken more slowly');
    if (reason === undefined && before !== undefined) log.info('triggers are taken at full speed again');
  }

  /** Before the next batch. */
  async pause(signal: AbortSignal): Promise<void> {
    if (this.#stubMs > STUBS_LATE_MS) await this.#services.clock.sleep(PAUSE_MS, signal);
  }
}
