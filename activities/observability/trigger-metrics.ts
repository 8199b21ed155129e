import type { TriggerSource } from '../../schema/index/sources.ts';
import type { Instruments } from './instruments.ts';

/** Why triggers are taken more slowly than they could be. */
export type SlowedBy = 'index' | 'stubs';

/** What the intake of triggers counts in this process. */
export class TriggerMetrics {
  readonly #lockLosses;
  readonly #batchMessages;
  readonly #batchSeconds;
  readonly #slowed;

  constructor(make: Instruments) {
    this.#lockLosses = make.counter(
      'isthmus_trigger_lock_losses_total',
      'Messages whose lock ended before they were settled: they come again, and their delivery count rises.',
    );
    this.#batchMessages = make.histogram(
      'isthmus_trigger_batch_messages',
      'Messages applied in one transaction.',
      [1, 10, 50, 100, 250, 500, 1_000],
    );
    this.#batchSeconds = make.histogram(
      'isthmus_trigger_batch_duration_seconds',
      'From the first attempt to apply a batch to its commit.',
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
    );
    this.#slowed = make.gauge(
      'isthmus_trigger_slowed',
      '1 where triggers are taken more slowly, since this does not keep up.',
      ['source', 'by'],
    );
  }

  locksLost(count: number): void {
    this.#lockLosses.inc(count);
  }

  batch(messages: number, seconds: number): void {
    this.#batchMessages.observe(messages);
    this.#batchSeconds.observe(seconds);
  }

  slowed(source: TriggerSource, by: Readonly<Record<SlowedBy, boolean>>): void {
    this.#slowed.set({ source, by: 'index' }, by.index ? 1 : 0);
    this.#slowed.set({ source, by: 'stubs' }, by.stubs ? 1 : 0);
  }
}
