import type { Clock } from '../../../schema/ports/clock.ts';

const TICKS_PER_MS = 10_000n;
/** 100 ns units from 1601 (FILETIME) to 1970. */
const FILETIME_OF_1970 = 116_444_736_000_000_000n;
/** 100 ns units from the year 1 to 1601: ETags count from there. */
const TICKS_OF_1601 = 504_911_232_000_000_000n;
const LOW_BITS = 40n;

/** A moment that no other moment of this account equals, in the forms in which Azure prints it. */
export interface Stamp {
  /** 100 ns units since 1601. */
  readonly ticks: bigint;
  /** `2020-05-12T22:30:50.4079048Z`. */
  readonly time: string;
}

/**
 * The account's clock. Stamps rise strictly, also over restarts where `floor` is the last stamp that was
 * recorded, and also where the machine's clock steps back; so sequencers made of them order every two
 * changes of the account, and are ordered as time is.
 */
export class SequencerSource {
  readonly #clock: Clock;
  #last: bigint;

  constructor(clock: Clock, floor = 0n) {
    this.#clock = clock;
    this.#last = floor;
  }

  next(): Stamp {
    const now = BigInt(Math.trunc(this.#clock.now()));
    const ticks = now * TICKS_PER_MS + FILETIME_OF_1970;
    this.#last = ticks > this.#last ? ticks : this.#last + 1n;
    const fraction = (this.#last % TICKS_PER_MS).toString().padStart(4, '0');
    return { ticks: this.#last, time: new Date(Number(now)).toISOString().replace('Z', `${fraction}Z`) };
  }
}

/** Three groups of 16 digits, the second in upper case and the third in lower, as in every real one. */
export function sequencerOf(ticks: bigint): string {
  const high = (ticks >> LOW_BITS).toString(16).toUpperCase().padStart(16, '0');
  const low = (ticks & ((1n << LOW_BITS) - 1n)).toString(16).padStart(16, '0');
  return `${'0'.repeat(16)}${high}${low}`;
}

/** The stamp's ticks back from a sequencer of ours. */
export function ticksOf(sequencer: string): bigint {
  return (BigInt(`0x${sequencer.slice(16, 32)}`) << LOW_BITS) | BigInt(`0x${sequencer.slice(32)}`);
}

/** What the feed's diagnostics print beside the sequencer: its groups in decimal. */
export function sequencerDiagnostics(sequencer: string): string {
  const high = BigInt(`0x${sequencer.slice(16, 32)}`);
  const low = BigInt(`0x${sequencer.slice(32)}`);
  return `(${high},${low / 5n},${low},${low - 10n > 0n ? low - 10n : 0n})`;
}

/** A container's version in the feed. */
export function containerVersionOf(ticks: bigint): string {
  return ticks.toString(16).toUpperCase().padStart(16, '0');
}

/** An ETag made of the moment: a delete has one of its own. */
export function etagOf(ticks: bigint): string {
  return `0x${(ticks + TICKS_OF_1601).toString(16).toUpperCase()}`;
}
