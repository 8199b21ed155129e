import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRules, validatePrefix } from '../../namespace/authority.ts';
import { formatKey } from '../../namespace/key.ts';
import type { Rule } from '../../namespace/rule.ts';

function rule(prefix: string): Rule {
  return { prefix, authority: 'blob', sink: 'vast' };
}

function matched(prefixes: readonly string[], key: string): string | undefined {
  const slash = key.indexOf('/');
  const index = compileRules({ revision: 1, rules: prefixes.map(rule) });
  return index.match({ container: key.slice(0, slash), name: key.slice(slash + 1) })?.prefix;
}

describe('compileRules', () => {
  it('5: matches by the longest prefix', () => {
    const prefixes = ['', 'lake/', 'lake/a/', 'lake/a/b/', 'lake/a/b'];
    expect(matched(prefixes, 'other/x')).toBe('');
    expect(matched(prefixes, 'lake/x')).toBe('lake/');
    expect(matched(prefixes, 'lake/a/x')).toBe('lake/a/');
    expect(matched(prefixes, 'lake/a/b/c')).toBe('lake/a/b/');
    expect(matched(prefixes, 'lake/a/b')).toBe('lake/a/b');
  });

  it('5: takes a prefix without its closing slash for the exact name of one blob', () => {
    expect(matched(['lake/a/b'], 'lake/a/bc')).toBeUndefined();
    expect(matched(['lake/a/b'], 'lake/a/b/c')).toBeUndefined();
    expect(matched(['lake/a/b'], 'lake/a/b')).toBe('lake/a/b');
  });

  it('5: federates nothing where there is no rule, and system containers never', () => {
    expect(matched(['lake/a/'], 'lake/b')).toBeUndefined();
    expect(matched([''], '$logs/x')).toBeUndefined();
    expect(matched([''], '$web/x')).toBe('');
    expect(matched(['$web/'], '$web/x')).toBe('$web/');
  });

  it('5: agrees with trying every prefix', () => {
    const part = fc.constantFrom('a', 'b', 'ab', '', '\u{1f600}');
    const name = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
    const prefix = fc
      .oneof(
        name,
        name.map((text) => `${text}/`),
        fc.constant(''),
      )
      .map((text) => `lake/${text}`);
    fc.assert(
      fc.property(fc.uniqueArray(prefix, { maxLength: 12 }), name, (prefixes, text) => {
        const key = formatKey({ container: 'lake', name: text });
        const fits = prefixes.filter(
          (candidate) => candidate === key || (candidate.endsWith('/') && key.startsWith(candidate)),
        );
        const expected = fits.toSorted((a, b) => b.length - a.length)[0];
        expect(matched(prefixes, key)).toBe(expected);
      }),
      { numRuns: 5_000 },
    );
  });

  it('5: knows of a directory whether a rule holds it or lies in it', () => {
    const touches = (prefixes: readonly string[], container: string, name: string) =>
      compileRules({ revision: 1, rules: prefixes.map(rule) }).touches({ container, name });
    expect(touches(['lake/a/'], 'lake', 'a/b')).toBe(true);
    expect(touches(['lake/a/b/'], 'lake', 'a/b')).toBe(true);
    expect(touches(['lake/a/b/c/'], 'lake', 'a')).toBe(true);
    expect(touches(['lake/a/b'], 'lake', 'a')).toBe(true);
    expect(touches(['lake/'], 'lake', 'x')).toBe(true);
    expect(touches([''], 'any', 'x')).toBe(true);
    expect(touches(['lake/a/b'], 'lake', 'a/b')).toBe(false);
    expect(touches(['lake/ab/'], 'lake', 'a')).toBe(false);
    expect(touches(['lake/a/'], 'other', 'a')).toBe(false);
    expect(touches([''], '$logs', 'x')).toBe(false);
  });

  it('costs no more with 10,000 rules than with ten', () => {
    const keys = Array.from({ length: 1_000 }, (_, at) => ({ container: 'lake', name: `p${at * 7}/q/r/s${at}` }));
    const cost = (rules: number) => {
      const index = compileRules({
        revision: 1,
        rules: Array.from({ length: rules }, (_, at) => rule(`lake/p${at}/q/`)),
      });
      const rounds = Array.from({ length: 9 }, () => {
        const started = process.threadCpuUsage().user;
        for (let round = 0; round < 20; round++) for (const key of keys) index.match(key);
        return (process.threadCpuUsage().user - started) / 1_000;
      });
      return Math.min(...rounds);
    };
    cost(10);
    expect(cost(10_000)).toBeLessThan(10 * cost(10) + 5);
  });

  it('refuses prefixes that are none, and the same one twice', () => {
    expect(() => compileRules({ revision: 1, rules: [rule('lake')] })).toThrow('closing slash');
    expect(() => compileRules({ revision: 1, rules: [rule('lake/'), rule('lake/')] })).toThrow('twice');
  });
});

describe('validatePrefix', () => {
  it('takes containers, paths with a closing slash, exact names and everything', () => {
    for (const prefix of ['', 'lake/', '$root/', '$web/a', 'lake/a/b/', 'lake/a b', 'lake//', 'my-lake-2/x']) {
      expect(validatePrefix(prefix)).toBeUndefined();
    }
  });

  it('says what is wrong with others', () => {
    for (const prefix of [
      'lake',
      '/',
      'Lake/',
      'a/',
      'la--ke/',
      '$logs/',
      '$blobchangefeed/x',
      'lake/\0',
      'lake/\ud800',
      '$x/',
    ]) {
      expect(validatePrefix(prefix)).toBeTypeOf('string');
    }
  });
});
