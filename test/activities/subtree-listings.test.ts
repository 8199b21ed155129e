import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listingsFor, nextToList } from '../../activities/subtree-listings.ts';

describe('the listings of directories that went', () => {
  it('are one for each, none for what another covers, and one for many of one parent', () => {
    expect(listingsFor(['c/a/', 'c/a/b/', 'c/a-b/', 'd/x/', 'c/a/'])).toEqual(['c/a-b/', 'c/a/', 'd/x/']);
    const tasks = Array.from({ length: 9 }, (_, at) => `c/out/_temporary/${at}/`);
    expect(listingsFor([...tasks, 'c/out/part/'])).toEqual(['c/out/_temporary/', 'c/out/part/']);
    expect(listingsFor(tasks.slice(1))).toHaveLength(8);
  });

  it('never are a whole container for the sake of many', () => {
    const tops = Array.from({ length: 20 }, (_, at) => `c/${at}/`);
    expect(listingsFor(tops)).toHaveLength(20);
  });

  it('are asked for a bounded number at a time, for those that wait longest, and never for none', () => {
    const waiting = Array.from({ length: 100 }, (_, at) => ({ at, prefixes: [`c/tmp/${at}/`, `c/${at}/x/`] }));
    const { subtrees, listings } = nextToList(waiting, 16);
    expect(subtrees.map(({ at }) => at)).toEqual(Array.from({ length: 13 }, (_, at) => at));
    expect(listings).toHaveLength(14);
    expect(nextToList(waiting, 1).subtrees).toHaveLength(1);
    expect(nextToList([], 16)).toEqual({ subtrees: [], listings: [] });
  });

  it('cover all that was asked for, and do not overlap', () => {
    const directory = fc.array(fc.constantFrom('a', 'b', 'c', 'é'), { minLength: 1, maxLength: 4 });
    const prefixes = fc.array(
      directory.map((parts) => `c/${parts.join('/')}/`),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(prefixes, (asked) => {
        const listed = listingsFor(asked);
        for (const prefix of asked) {
          expect(listed.filter((each) => prefix.startsWith(each))).toHaveLength(1);
        }
        expect(listed).not.toContain('c/');
      }),
    );
  });
});
