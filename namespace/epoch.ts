declare const brand: unique symbol;

/**
 * One incarnation of a container: the feed's `containerVersion`, which is the container's creation time as a
 * Windows FILETIME in hex (100 ns since 1601). 16 lower-case hex digits, so that text order is time order.
 */
export type Epoch = string & { readonly [brand]: 'Epoch' };

const DIGITS = 16;
const FILETIME_OF_1970 = 116_444_736_000_000_000n;

/** @returns undefined where the text is no FILETIME: the change then has no epoch. */
export function parseEpoch(text: string): Epoch | undefined {
  if (text.length === 0 || text.length > DIGITS || !/^[0-9a-fA-F]+$/.test(text)) return undefined;
  return text.toLowerCase().padStart(DIGITS, '0') as Epoch;
}

/** When the container was created, in milliseconds since 1970, rounded down. */
export function epochTime(epoch: Epoch): number {
  return Number((BigInt(`0x${epoch}`) - FILETIME_OF_1970) / 10_000n);
}

/** The epoch of a container created at this time (milliseconds since 1970). */
export function epochAt(time: number): Epoch {
  const filetime = BigInt(Math.trunc(time)) * 10_000n + FILETIME_OF_1970;
  return filetime.toString(16).padStart(DIGITS, '0') as Epoch;
}
