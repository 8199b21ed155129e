import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instantOf } from '../../../schema/inventory/row.ts';

describe('a time of a report', () => {
  it('is what the language reads, printed with a fraction or without, or damaged', () => {
    const time = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
    const damaged = fc.tuple(fc.nat(24), fc.constantFrom('', '0', '9', '-', 'x', ':', ' '));
    fc.assert(
      fc.property(time, fc.boolean(), fc.option(damaged, { nil: undefined }), (date, fraction, damage) => {
        const whole = fraction ? date.toISOString() : `${date.toISOString().slice(0, 19)}Z`;
        const [at, by] = damage ?? [0, whole.slice(0, 1)];
        const text = whole.slice(0, at) + by + whole.slice(at + 1);
        expect(instantOf(text)).toBe(Date.parse(text));
      }),
      { numRuns: 5_000 },
    );
  });
});
