import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareKeys, formatKey, type Key } from '../../../namespace/key.ts';
import type { Rule } from '../../../namespace/rule.ts';
import {
  includes,
  intersect,
  type KeySet,
  keySet,
  keysWithPrefix,
  namesWithin,
  without,
} from '../../../reconciler/scope/key-set.ts';
import { filtersScope, rulesScope } from '../../../reconciler/scope/rules-scope.ts';

const container = fc.constantFrom('a', 'a-b', 'ab', 'b', '$web');
const part = fc.constantFrom('x', 'y', 'x.', 'é', '\u{1f600}', '\uffff', '-');
const path = fc.array(part, { maxLength: 4 }).map((parts) => parts.join('/'));
const key: fc.Arbitrary<Key> = fc.record({ container, name: path });
const keys = fc.array(key, { minLength: 1, maxLength: 40 });
const plainPrefix = fc.tuple(key, fc.nat(12)).map(([each, length]) => [...formatKey(each)].slice(0, length).join(''));
const prefixes = fc.array(plainPrefix, { maxLength: 5 });

const rulePrefix = fc.oneof(
  fc.constant(''),
  container.map((name) => `${name}/`),
  key.filter(({ name }) => name !== '' && !name.startsWith('/')).map((each) => `${formatKey(each)}/`),
  key.filter(({ name }) => name !== '' && !name.endsWith('/')).map(formatKey),
);
const rules: fc.Arbitrary<Rule[]> = fc.uniqueArray(
  fc.record({ prefix: rulePrefix, authority: fc.constantFrom('blob', 'vast'), sink: fc.constant('s') }),
  { maxLength: 12, selector: (rule) => rule.prefix },
);

const startsWithAny = (each: Key, list: readonly string[]) => list.some((prefix) => formatKey(each).startsWith(prefix));

function isOrdered(set: KeySet): boolean {
  return set.every(({ from, to }, at) => {
    const next = set[at + 1];
    if (to !== undefined && compareKeys(from, to) >= 0) return false;
    return next === undefined || (to !== undefined && compareKeys(to, next.from) < 0);
  });
}

describe('a set of keys', () => {
  it('of plain prefixes holds exactly the keys that start with one', () => {
    fc.assert(
      fc.property(prefixes, keys, (list, some) => {
        const set = keySet(list.map(keysWithPrefix));
        expect(isOrdered(set)).toBe(true);
        for (const each of some) expect(includes(set, each)).toBe(startsWithAny(each, list));
      }),
    );
  });

  it('is intersected and subtracted key by key', () => {
    fc.assert(
      fc.property(prefixes, prefixes, keys, (left, right, some) => {
        const a = keySet(left.map(keysWithPrefix));
        const b = keySet(right.map(keysWithPrefix));
        expect(isOrdered(intersect(a, b)) && isOrdered(without(a, b))).toBe(true);
        for (const each of some) {
          expect(includes(intersect(a, b), each)).toBe(includes(a, each) && includes(b, each));
          expect(includes(without(a, b), each)).toBe(includes(a, each) && !includes(b, each));
        }
      }),
    );
  });

  it('is the same whether it is asked as a whole or container by container', () => {
    fc.assert(
      fc.property(prefixes, keys, (list, some) => {
        const set = keySet(list.map(keysWithPrefix));
        for (const each of some) {
          const ranges = namesWithin(set, each.container).map(({ from, to }) => ({
            from: { container: '', name: from },
            to: to === undefined ? undefined : { container: '', name: to },
          }));
          expect(includes(ranges, { container: '', name: each.name })).toBe(includes(set, each));
        }
      }),
    );
  });
});

describe('the scope of rules', () => {
  it('holds exactly the keys whose longest rule gives the authority', () => {
    fc.assert(
      fc.property(rules, keys, (list, some) => {
        const scopes = { blob: rulesScope(list, 'blob'), vast: rulesScope(list, 'vast') };
        expect(isOrdered(scopes.blob) && isOrdered(scopes.vast)).toBe(true);
        for (const each of some) {
          const text = formatKey(each);
          const matching = list.filter(({ prefix }) =>
            prefix === '' || prefix.endsWith('/') ? text.startsWith(prefix) : text === prefix,
          );
          const longest = matching.toSorted((a, b) => b.prefix.length - a.prefix.length)[0];
          expect(includes(scopes.blob, each)).toBe(longest?.authority === 'blob');
          expect(includes(scopes.vast, each)).toBe(longest?.authority === 'vast');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('of ten thousand rules is settled at once', () => {
    const many = Array.from({ length: 10_000 }, (_, at): Rule => {
      return { prefix: `c/${at % 100}/${at}/`, authority: at % 3 === 0 ? 'vast' : 'blob', sink: 's' };
    });
    const start = process.threadCpuUsage().user;
    const scope = rulesScope([{ prefix: '', authority: 'blob', sink: 's' }, ...many], 'blob');
    expect((process.threadCpuUsage().user - start) / 1_000).toBeLessThan(1_000);
    expect(includes(scope, { container: 'c', name: '3/3/x' })).toBe(false);
    expect(includes(scope, { container: 'c', name: '4/4/x' })).toBe(true);
  });
});

describe('the scope of a report', () => {
  it('is what its rule includes less what it excludes', () => {
    fc.assert(
      fc.property(prefixes, prefixes, keys, (prefixMatch, excludePrefix, some) => {
        const scope = filtersScope({ prefixMatch, excludePrefix });
        for (const each of some) {
          const included = prefixMatch.length === 0 || startsWithAny(each, prefixMatch);
          expect(includes(scope, each)).toBe(included && !startsWithAny(each, excludePrefix));
        }
      }),
    );
  });
});
