declare const brand: unique symbol;

/**
 * One incarnation of a container: the feed's `containerVersion`, which is the container's creation time as a
 * Windows FILETIME in hex (100 ns since 1601). 16 lower-case hex digits, so that text order is time order.
 */
export type Epoch = string & { readonly [brand]: 'Epoch' };

const DIGITS = 16;
const FILETIME_OF_1970 = 116_444_736_000_000_000n;
const MILLISECONDS_FROM_1601_TO_1970 = 11_644_473_600_000;

/** @returns undefined where the text is no FILETIME: the change then has no epoch. */
export function parseEpoch(text: string): Epoch | undefined {
  if (text.length === 0 || text.length > DIGITS || !/^[0-9a-fA-F]+$/.test(text)) return undefined;
  return text.toLowerCase().padStart(DIGITS, '0') as Epoch;
}

/**
 * When the container was created, in milliseconds since 1970, rounded down.
 *
 * Exact without BigInt, which costs ten times as much where it is asked for every event: 2^32 is
 * 429,496 x 10,000 + 7,296, and no product below leaves 53 bits.
 */
export function epochTime(epoch: Epoch): number {
  const high = Number.parseInt(epoch.slice(0, 8), 16);
  const low = Number.parseInt(epoch.slice(8), 16);
  return high * 429_496 + Math.floor((high * 7_296 + low) / 10_000) - MILLISECONDS_FROM_1601_TO_1970;
}

/** The epoch of a container created at this time (milliseconds since 1970). */
export function epochAt(time: number): Epoch {
  const filetime = BigInt(Math.trunc(time)) * 10_000n + FILETIME_OF_1970;
  return filetime.toString(16).padStart(DIGITS, '0') as Epoch;
}
