import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReconcileInput } from '../../schema/inputs/activities.ts';
import type { ReconcileWish } from '../../schema/inputs/wish.ts';
import { MOST_WISHES, Wishes } from '../../workflows/wishes.ts';

const report = (number: number): ReconcileInput => ({ judge: 'inventory', manifest: `inventory/${number}` });

function taken(wishes: Wishes): readonly ReconcileWish[] {
  const all: ReconcileWish[] = [];
  for (let wish = wishes.next(); wish !== undefined; wish = wishes.next()) all.push(wish);
  return all;
}

describe('wishes', () => {
  it('are done each once, in the order in which they came', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(MOST_WISHES - 1)), (numbers) => {
        const wishes = new Wishes();
        for (const number of numbers) expect(wishes.add(report(number))).toBeUndefined();
        expect(wishes.empty).toBe(numbers.length === 0);
        expect(taken(wishes)).toEqual([...new Set(numbers)].map(report));
      }),
    );
  });

  it('leave out the report that is judged just now, but not a listing: names may have changed since it began', () => {
    const wishes = new Wishes();
    const listing: ReconcileInput = { judge: 'listing' };
    wishes.add(report(1));
    expect(wishes.next()).toEqual(report(1));
    wishes.add(report(1));
    expect(wishes.empty).toBe(true);
    wishes.add(listing);
    expect(wishes.next()).toEqual(listing);
    wishes.add(listing);
    expect(taken(wishes)).toEqual([listing]);
  });

  it('are bounded: the oldest report makes room, and says so', () => {
    const wishes = new Wishes();
    wishes.add({ judge: 'listing' });
    for (let at = 1; at < MOST_WISHES; at++) expect(wishes.add(report(at))).toBeUndefined();
    expect(wishes.add(report(MOST_WISHES))).toEqual(report(1));
    const left = taken(wishes);
    expect(left).toHaveLength(MOST_WISHES);
    expect([left[0], left.at(-1)]).toEqual([{ judge: 'listing' }, report(MOST_WISHES)]);
  });
});
