/**
 * The smallest string above every string with this prefix, in code point order (UTF-8, `COLLATE "C"`): names
 * with the prefix are those in `[prefix, upperBound(prefix))`.
 *
 * @returns undefined where there is none: every string from the prefix up has it (the empty prefix, or U+10FFFF alone).
 */
export function upperBound(prefix: string): string | undefined {
  const points = Array.from(prefix, (text) => text.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10ffff) continue;
    points.push(last === 0xd7ff ? 0xe000 : last + 1);
    return String.fromCodePoint(...points);
  }
  return undefined;
}
