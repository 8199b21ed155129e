/** Ten bytes hold 64 bits of seven each; Azure pads to that. */
const MAX_BYTES = 10;

/** A number read from bytes, or why there is none. */
export type Varint =
  | { readonly kind: 'value'; readonly value: number; readonly next: number }
  | { readonly kind: 'torn' }
  | { readonly kind: 'bad' };

const TORN: Varint = { kind: 'torn' };
const BAD: Varint = { kind: 'bad' };

/**
 * Reads Avro's zigzag `long` at an offset. Azure pads block counts and sizes to ten bytes, which a reader of minimal
 * varints refuses. Values past 2^53 are no sizes, so they are `bad`.
 */
export function readVarint(bytes: Uint8Array, offset: number): Varint {
  let raw = 0n;
  for (let at = 0; at < MAX_BYTES; at++) {
    const byte = bytes[offset + at];
    if (byte === undefined) return TORN;
    raw |= BigInt(byte & 0x7f) << BigInt(7 * at);
    if (byte < 0x80) {
      const value = Number(BigInt.asIntN(64, (raw >> 1n) ^ -(raw & 1n)));
      return Number.isSafeInteger(value) ? { kind: 'value', value, next: offset + at + 1 } : BAD;
    }
  }
  return BAD;
}
