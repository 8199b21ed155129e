import { describe, expect, it } from 'vitest';
import { guardReason } from '../../../reconciler/judge/guard.ts';

describe('7: the guard', () => {
  it.each([
    [{ rows: 0, live: 1, missing: 1 }, 'it lists nothing at all, where the index has 1 live name'],
    [{ rows: 0, live: 2, missing: 2 }, 'it lists nothing at all, where the index has 2 live names'],
    [{ rows: 1, live: 2, missing: 2 }, 'it lacks 2 of 2 live names (100.0 %, allowed are 10 % or 1 name)'],
  ])('says in one and in many why absent names are left alone: %j', (counts, reason) => {
    expect(guardReason(counts, { percent: 10, names: 1 })).toBe(reason);
  });
});
