import type { Timestamp } from '../../namespace/entry.ts';
import { canaryKey } from '../../schema/federation/canary.ts';
import { lateLimitMs } from '../../schema/federation/trigger-sources.ts';
import { latenessAt, secondsLate } from '../../schema/index/lateness.ts';
import type { TriggerSource } from '../../schema/index/sources.ts';
import { addTriggerTally, noTally } from '../../schema/index/trigger-minutes.ts';
import { hearTriggers, noteReceived } from '../../schema/index/trigger-watch.ts';
import type { TriggerBatch } from '../azure/trigger-batch.ts';
import type { Services } from '../services.ts';

const EVERY_MS = 1_000;

/**
 * Keeps what silence and lateness of a transport's sender are judged by: that its intake listens, that something was
 * received, and how late it was. Not in the transactions that apply, and at most once a second.
 */
export class ReceivedTriggers {
  readonly #services: Services;
  readonly #source: TriggerSource;
  #tally = noTally();
  #canary: Timestamp | undefined;
  #writtenAt: Timestamp = Number.NEGATIVE_INFINITY;

  constructor(services: Services, source: TriggerSource) {
    this.#services = services;
    this.#source = source;
  }

  /** At the beginning of a turn. */
  async listening(): Promise<void> {
    const { account, clock, index } = this.#services;
    await hearTriggers(index.db, { accountId: account.id, source: this.#source }, clock.now());
  }

  /** After the commit of a batch. What could not be read proves no sender. */
  async seen({ events, subtrees }: Pick<TriggerBatch, 'events' | 'subtrees'>): Promise<void> {
    const { clock, federation, metrics } = this.#services;
    const now = clock.now();
    const limit = lateLimitMs(federation.sources) / 1000;
    const canary = canaryKey(federation);
    for (const told of [events, subtrees]) {
      for (const { time } of told) {
        const seconds = secondsLate(time, now);
        metrics.triggerLateness(seconds);
        const at = latenessAt(seconds);
        this.#tally.lateness[at] = (this.#tally.lateness[at] ?? 0) + 1;
        if (seconds > limit) this.#tally.late++;
      }
      this.#tally.received += told.length;
    }
    if (canary !== undefined) {
      for (const { container, name, time } of events) {
        if (name === canary.name && container === canary.container) this.#canary = Math.max(this.#canary ?? time, time);
      }
    }
    const age = now - this.#writtenAt;
    // A canary is waited for: that its trigger came is told at once, not when the next trigger does.
    if (this.#canary !== undefined || age < 0 || age >= EVERY_MS) await this.flush();
  }

  /** Writes down what was received since it last was. */
  async flush(): Promise<void> {
    const { account, clock, index } = this.#services;
    const [tally, canary] = [this.#tally, this.#canary];
    if (tally.received === 0) return;
    const now = clock.now();
    this.#tally = noTally();
    this.#canary = undefined;
    this.#writtenAt = now;
    const of = { accountId: account.id, source: this.#source };
    await noteReceived(index.db, of, { at: now, canary, margin: account.margin });
    await addTriggerTally(index.db, of, now, tally);
  }
}
