import { z } from 'zod';

const rate = z.number().min(0).max(1);

/** The switches, all off by default. Rates are shares from 0 to 1. */
const faultsSchema = z.strictObject({
  triggers: z.strictObject({
    /** Share of events that are never published. */
    dropRate: rate,
    /** Milliseconds from the change to its publication. */
    delayMs: z.number().min(0),
    /** Share of events that are published twice. */
    duplicateRate: rate,
    /** Share of events that are not delivered: they go to the dead-letter container instead. */
    deadLetterRate: rate,
    /** Publishes in no order, within a few hundred events. */
    reorder: z.boolean(),
  }),
  feed: z.strictObject({
    /** Writes nothing to the feed until it is off again; nothing is lost. */
    hold: z.boolean(),
    /** Each flush ends in half a block; the next flush brings the rest. */
    tearTail: z.boolean(),
    /** Whoever asks for the feed is answered 403, as one without a role on the account is. */
    refuse: z.boolean(),
    /** Whoever asks for the feed gets no answer. */
    stall: z.boolean(),
  }),
  inventory: z.strictObject({
    /** A run writes its Pending manifest and goes no further. */
    stop: z.boolean(),
  }),
  http: z.strictObject({
    error429Rate: rate,
    error503Rate: rate,
    /** Answered to conditional requests only: others cannot fail so. */
    error412Rate: rate,
    /** Share of requests whose connection is cut: before the change, after it, or amid the answer's body. */
    cutRate: rate,
  }),
});

export type Faults = z.infer<typeof faultsSchema>;

/** A change of some switches; the others stay. */
const faultsPatchSchema = z.strictObject({
  triggers: faultsSchema.shape.triggers.partial().optional(),
  feed: faultsSchema.shape.feed.partial().optional(),
  inventory: faultsSchema.shape.inventory.partial().optional(),
  http: faultsSchema.shape.http.partial().optional(),
});

export type FaultsPatch = z.input<typeof faultsPatchSchema>;

const NO_FAULTS: Faults = {
  triggers: { dropRate: 0, delayMs: 0, duplicateRate: 0, deadLetterRate: 0, reorder: false },
  feed: { hold: false, tearTail: false, refuse: false, stall: false },
  inventory: { stop: false },
  http: { error429Rate: 0, error503Rate: 0, error412Rate: 0, cutRate: 0 },
};

/** What goes wrong with one request. */
export type HttpFault = 'none' | 'throttled' | 'busy' | 'condition' | 'cut-before' | 'cut-after';

/** The switches as they stand now. */
export class FaultSwitches {
  #faults: Faults = NO_FAULTS;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  get current(): Faults {
    return this.#faults;
  }

  merge(patch: unknown): Faults {
    const parsed = faultsPatchSchema.parse(patch);
    this.#faults = faultsSchema.parse({
      triggers: { ...this.#faults.triggers, ...parsed.triggers },
      feed: { ...this.#faults.feed, ...parsed.feed },
      inventory: { ...this.#faults.inventory, ...parsed.inventory },
      http: { ...this.#faults.http, ...parsed.http },
    });
    return this.#faults;
  }

  clear(): Faults {
    this.#faults = NO_FAULTS;
    return this.#faults;
  }

  happens(share: number): boolean {
    return share > 0 && this.#random() < share;
  }

  http(conditional: boolean): HttpFault {
    const { error429Rate, error503Rate, error412Rate, cutRate } = this.#faults.http;
    if (this.happens(error429Rate)) return 'throttled';
    if (this.happens(error503Rate)) return 'busy';
    if (conditional && this.happens(error412Rate)) return 'condition';
    if (this.happens(cutRate)) return this.happens(0.5) ? 'cut-before' : 'cut-after';
    return 'none';
  }
}
