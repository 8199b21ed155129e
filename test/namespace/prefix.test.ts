import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareUtf8 } from '../../namespace/key.ts';
import { upperBound } from '../../namespace/prefix.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc
    .array(fc.constantFrom('a', '/', '\u007f', '\u07ff', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'), {
      maxLength: 5,
    })
    .map((list) => list.join('')),
);

describe('upperBound', () => {
  it('ends the range of names with a prefix, in UTF-8 order', () => {
    fc.assert(
      fc.property(text, text, (prefix, name) => {
        const bound = upperBound(prefix);
        const inRange = compareUtf8(name, prefix) >= 0 && (bound === undefined || compareUtf8(name, bound) < 0);
        expect(inRange).toBe(name.startsWith(prefix));
        expect(compareUtf8(prefix + name, bound ?? '\u{10ffff}'.repeat(20))).toBe(-1);
      }),
      { numRuns: 5_000 },
    );
  });

  it('steps over the surrogates and drops what has no successor', () => {
    expect(upperBound('a')).toBe('b');
    expect(upperBound('a\ud7ff')).toBe('a\ue000');
    expect(upperBound('a\u{10ffff}')).toBe('b');
    expect(upperBound('\u{10ffff}')).toBeUndefined();
    expect(upperBound('')).toBeUndefined();
  });
});
