import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatKey, type Key } from '../../namespace/key.ts';
import { ancestorsOf, keyOf, pathOf } from '../../namespace/path.ts';
import { blobName, key } from './arbitraries.ts';

function path(of: Key): string | undefined {
  const mapped = pathOf(of);
  return 'path' in mapped ? mapped.path : undefined;
}

describe('pathOf', () => {
  it('maps a key to CONTAINER/NAME as it is', () => {
    expect(pathOf({ container: 'lake', name: 'raw/2026/\u00e9.parquet' })).toEqual({
      path: 'lake/raw/2026/\u00e9.parquet',
    });
    expect(pathOf({ container: '$root', name: '%41 ?#\\\n' })).toEqual({ path: '$root/%41 ?#\\\n' });
  });

  it('says why a name has no path', () => {
    const reasons = [
      '',
      '/a',
      'a/',
      'a//b',
      '.',
      'a/../b',
      './a',
      'a\0b',
      '\ud800',
      'x'.repeat(256),
      '\u00e9'.repeat(128),
    ];
    for (const name of reasons) expect(pathOf({ container: 'lake', name })).toHaveProperty('unrepresentable');
    expect(pathOf({ container: 'lake', name: 'x'.repeat(255) })).toHaveProperty('path');
    expect(pathOf({ container: 'lake', name: '\u00e9'.repeat(127) })).toHaveProperty('path');
  });

  it('never leaves the root, and stays in its container', () => {
    fc.assert(
      fc.property(key, (of) => {
        const mapped = path(of);
        if (mapped === undefined) return;
        const resolved = posix.resolve('/mnt/of/sink', mapped);
        expect(resolved).toBe(`/mnt/of/sink/${mapped}`);
        expect(resolved.startsWith(`/mnt/of/sink/${of.container}/`)).toBe(true);
        expect(mapped.startsWith('.')).toBe(false);
      }),
      { numRuns: 5_000 },
    );
  });

  it('is injective as bytes, with cases and normal forms of Unicode kept apart', () => {
    fc.assert(
      fc.property(fc.uniqueArray(key, { selector: (of) => JSON.stringify(of), maxLength: 40 }), (keys) => {
        const paths = keys.map(path).filter((mapped) => mapped !== undefined);
        expect(new Set(paths.map((mapped) => Buffer.from(mapped).toString('hex'))).size).toBe(paths.length);
      }),
    );
    const alike = ['a', 'A', '\u00e9', 'e\u0301', '\u212b', '\u00c5', 'a ', 'a.'].map((name) =>
      path({ container: 'lake', name }),
    );
    expect(new Set(alike).size).toBe(alike.length);
    expect(alike).not.toContain(undefined);
  });

  it('is undone by keyOf, which takes no path that it did not make', () => {
    fc.assert(
      fc.property(key, (of) => {
        const mapped = path(of);
        if (mapped !== undefined) expect(keyOf(mapped)).toEqual(of);
      }),
      { numRuns: 5_000 },
    );
    fc.assert(
      fc.property(blobName, (text) => {
        const back = keyOf(text);
        if (back !== undefined) expect(path(back)).toBe(text);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('ancestorsOf', () => {
  it('names the keys that the directories above a file shadow, the shortest first', () => {
    const names = ancestorsOf({ container: 'lake', name: 'a/b/c' }).map(({ name }) => name);
    expect(names).toEqual(['a', 'a/b']);
    expect(ancestorsOf({ container: 'lake', name: 'a' })).toEqual([]);
    expect(ancestorsOf({ container: 'lake', name: 'a//b' })).toEqual([]);
  });

  it('names exactly the directories of the path', () => {
    fc.assert(
      fc.property(key, (of) => {
        const mapped = path(of);
        const expected: string[] = [];
        if (mapped !== undefined) {
          for (let up = posix.dirname(mapped); up.includes('/'); up = posix.dirname(up)) expected.unshift(up);
        }
        expect(ancestorsOf(of).map(formatKey)).toEqual(expected);
      }),
      { numRuns: 2_000 },
    );
  });
});
