import { LATENESS_BOUNDS } from '../../schema/index/lateness.ts';
import type { Instruments } from './instruments.ts';

/** Of the changes that triggers announce, how many of the feed's a trigger had told before, and how many none had. */
export interface ToldFirstCounts {
  readonly byTrigger: number;
  readonly byFeed: number;
}

/** How late triggers come, and how often they win. */
export class LatenessMetrics {
  readonly #lateness;
  readonly #toldFirst;

  constructor(make: Instruments) {
    this.#lateness = make.histogram(
      'isthmus_trigger_lateness_seconds',
      "From an event's time to its commit in the index.",
      LATENESS_BOUNDS,
    );
    this.#toldFirst = make.counter(
      'isthmus_trigger_told_first_total',
      'Changes of the feed that triggers announce, by what told of them first, as far as both can be compared.',
      ['first'],
    );
  }

  late(seconds: number): void {
    this.#lateness.observe(seconds);
  }

  toldFirst({ byTrigger, byFeed }: ToldFirstCounts): void {
    this.#toldFirst.inc({ first: 'trigger' }, byTrigger);
    this.#toldFirst.inc({ first: 'feed' }, byFeed);
  }
}
