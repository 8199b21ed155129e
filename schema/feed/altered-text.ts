/** What a decoder puts in the place of bytes that are not UTF-8; a text may also hold it by itself. */
const REPLACEMENT = '\ufffd';

/**
 * Whether decoding has altered a text, or any text inside a value: what is not UTF-8 is replaced without a word. A text
 * that has the replacement in it must stand in the bytes as it is. Those are looked at for such a text alone, so that
 * any other costs a search in it: none at all where it is ASCII.
 *
 * @param bytes hold what the value was decoded from, from `start` to `end`.
 */
export function isAltered(value: unknown, bytes: Buffer, start: number, end: number): boolean {
  if (typeof value === 'string') return value.includes(REPLACEMENT) && !bytes.subarray(start, end).includes(value);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false;
  for (const key of Object.keys(value)) {
    // A map's keys are text as well.
    if (isAltered(key, bytes, start, end)) return true;
    if (isAltered((value as Readonly<Record<string, unknown>>)[key], bytes, start, end)) return true;
  }
  return false;
}
