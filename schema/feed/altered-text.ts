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

/**
 * Where the first byte stands that was replaced in a text which decoding has altered.
 *
 * @param bytes hold what the text was decoded from, from `start` to `end`.
 * @returns undefined where it is not found.
 */
export function alteredAt(text: string, bytes: Buffer, start: number, end: number): number | undefined {
  const within = bytes.subarray(start, end);
  for (let at = text.indexOf(REPLACEMENT); at >= 0; at = text.indexOf(REPLACEMENT, at + 1)) {
    // As far as here the text stands in the bytes as it is; a replacement that it held by itself does as well.
    if (within.includes(text.slice(0, at + 1))) continue;
    const before = at === 0 ? -1 : within.indexOf(text.slice(0, at));
    return before < 0 ? undefined : start + before + Buffer.byteLength(text.slice(0, at));
  }
  return undefined;
}
