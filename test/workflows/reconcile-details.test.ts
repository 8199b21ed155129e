import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { code, reachedText } from '../../workflows/reconcile-details.ts';

const at = (seconds: number, done: number, of?: number) => ({
  at: seconds * 1000,
  progress: { phase: 'staging', done, of, unit: 'rows', causes: {} },
});

describe('the details of a reconcile', () => {
  it('hold any name in one cell of a Markdown table, as code that nothing in it ends', () => {
    const sign = fc.constantFrom('`', '|', '\\', '\n', '\r', '<', '&', 'a', ' ', '\u001b', '\u2028', '*');
    fc.assert(
      fc.property(fc.string({ unit: sign }), (name) => {
        const cell = code(name);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
        expect(cell).not.toMatch(/[\u0000-\u001f\u2028]/);
        expect(cell).not.toContain('|');
        const fence = /^`+/.exec(cell)?.[0] ?? '';
        const inside = cell.slice(fence.length, -fence.length);
        expect(cell.endsWith(fence)).toBe(true);
        expect(inside.match(/`+/g) ?? []).not.toContain(fence);
        expect(inside.startsWith('`') || inside.endsWith('`') || inside === '').toBe(false);
      }),
    );
  });

  it('tell rate and time left where they can be told', () => {
    expect(reachedText(at(10, 1_000_000, 4_000_000), at(0, 0))).toBe(
      'staging, 1,000,000 of 4,000,000 rows, 100,000 rows/s, about 30 s left',
    );
    expect(reachedText(at(10, 50), at(0, 0))).toBe('staging, 50 rows, 5 rows/s');
    expect(reachedText(at(10, 50, 100), at(10, 50))).toBe('staging, 50 of 100 rows');
  });
});
