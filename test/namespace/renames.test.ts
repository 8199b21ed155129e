import { describe, expect, it } from 'vitest';
import { formatKey, parseKey } from '../../namespace/key.ts';
import { otherNames } from '../../namespace/renames.ts';

function names(...renames: readonly (readonly [string, string])[]) {
  const others = otherNames(renames.map(([from, to]) => ({ from: parseKey(from), to: parseKey(to) })));
  return {
    cameFrom: (key: string) => others.before(parseKey(key)).map(formatKey),
    wentTo: (key: string) => others.after(parseKey(key)).map(formatKey),
  };
}

describe('the other names of a blob', () => {
  it('follow its directories, whole components of one container, and nothing else', () => {
    const { cameFrom, wentTo } = names(['c/a/b', 'd/x']);
    expect(cameFrom('d/x/1/2')).toEqual(['c/a/b/1/2']);
    expect(wentTo('c/a/b/1/2')).toEqual(['d/x/1/2']);
    for (const key of ['c/a/b', 'c/a/bb/1', 'd/a/b/1', 'c/a/1', 'd/x/1', 'c/']) expect(wentTo(key), key).toEqual([]);
    for (const key of ['d/x', 'd/xx/1', 'c/x/1', 'c/a/b/1']) expect(cameFrom(key), key).toEqual([]);
  });

  it('follow renames of renames, of directories above and below, in whatever order they are told', () => {
    const told = [
      ['c/b', 'c/d'],
      ['c/a', 'c/b'],
      ['c/d/in', 'c/e'],
    ] as const;
    for (const renames of [told, told.toReversed()]) {
      const { cameFrom, wentTo } = names(...renames);
      expect(cameFrom('c/e/1')).toEqual(['c/d/in/1', 'c/b/in/1', 'c/a/in/1']);
      expect(wentTo('c/a/in/1')).toEqual(['c/b/in/1', 'c/d/in/1', 'c/e/1']);
    }
  });

  it('have one that came back among them', () => {
    const { cameFrom, wentTo } = names(['c/a', 'c/b'], ['c/b', 'c/a']);
    expect(cameFrom('c/a/1')).toEqual(['c/b/1', 'c/a/1']);
    expect(wentTo('c/a/1')).toEqual(['c/b/1', 'c/a/1']);
  });

  it('8: are eight at most, also where they would grow for ever', () => {
    const { cameFrom, wentTo } = names(['c/a', 'c/b/a'], ['c/b', 'c/a']);
    expect(cameFrom('c/a/1').length).toBeLessThanOrEqual(8);
    expect(wentTo('c/a/1')).toHaveLength(8);
    const many = Array.from({ length: 100 }, (_, at) => [`c/${at}`, `c/${at + 1}`] as const);
    expect(names(...many).cameFrom('c/50/1')).toEqual(Array.from({ length: 8 }, (_, at) => `c/${49 - at}/1`));
  });
});
