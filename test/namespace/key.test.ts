import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochAt, epochTime, parseEpoch } from '../../namespace/epoch.ts';
import { compareKeys, compareUtf8, formatKey, parseKey } from '../../namespace/key.ts';
import { compareSequencers, parseSequencer } from '../../namespace/sequencer.ts';

const wellFormed = fc.string({ unit: 'binary', maxLength: 8 });

describe('key order', () => {
  it('is the order of UTF-8 bytes', () => {
    fc.assert(
      fc.property(wellFormed, wellFormed, fc.string({ unit: 'binary', maxLength: 3 }), (a, b, shared) => {
        expect(compareUtf8(shared + a, shared + b)).toBe(
          Buffer.compare(Buffer.from(shared + a), Buffer.from(shared + b)),
        );
      }),
      { numRuns: 5_000 },
    );
    expect(compareUtf8('\uffff', '\u{10000}')).toBe(-1);
  });

  it('is by container first', () => {
    expect(compareKeys({ container: 'a', name: 'z' }, { container: 'a-b', name: 'a' })).toBe(-1);
  });

  it('reads back what it has written, whatever slashes a name holds', () => {
    fc.assert(
      fc.property(wellFormed, (name) => {
        const key = { container: 'lake', name };
        expect(parseKey(formatKey(key))).toEqual(key);
      }),
    );
  });
});

describe('sequencer', () => {
  it('is ordered as the number that it prints, in any case and length', () => {
    const big = fc.bigInt({ min: 1n, max: (1n << 190n) - 1n });
    fc.assert(
      fc.property(big, big, fc.boolean(), (a, b, upper) => {
        const [left, right] = [
          parseSequencer(a.toString(16)),
          parseSequencer(upper ? b.toString(16).toUpperCase() : b.toString(16)),
        ];
        if (left === undefined || right === undefined) throw new Error('no sequencer');
        expect(compareSequencers(left, right)).toBe(a === b ? 0 : a < b ? -1 : 1);
      }),
    );
  });

  it('is padded on the left, and refuses what is no sequencer', () => {
    expect(parseSequencer('0000404C0000000001237a9b')).toBe(`${'0'.repeat(28)}404c0000000001237a9b`);
    for (const text of ['', 'xyz', ' 1', '0x1', 'f'.repeat(49)]) expect(parseSequencer(text)).toBeUndefined();
  });
});

describe('epoch', () => {
  it('is the time at which a real container was created', () => {
    const epoch = parseEpoch('01D628ACFCF04929');
    expect(epoch && new Date(epochTime(epoch)).toISOString()).toBe('2020-05-12T22:30:49.710Z');
  });

  it('gives back the time that it was made of, and keeps its order', () => {
    const when = fc.integer({ min: 0, max: Date.UTC(2200, 0, 1) });
    fc.assert(
      fc.property(when, when, (a, b) => {
        expect(epochTime(epochAt(a))).toBe(a);
        expect(epochAt(a) < epochAt(b)).toBe(a < b);
      }),
    );
  });

  it('refuses what is no FILETIME', () => {
    for (const text of ['', 'g', 'f'.repeat(17)]) expect(parseEpoch(text)).toBeUndefined();
  });
});
