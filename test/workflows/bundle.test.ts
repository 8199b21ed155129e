import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { testBundle } from './harness.ts';

/** Every module that another one requires, as the bundler names them. */
async function modules(): Promise<readonly string[]> {
  const bundle = await testBundle();
  const code = 'code' in bundle ? bundle.code : await readFile(bundle.codePath, 'utf8');
  const required = code.matchAll(/__webpack_require__\((?:\/\*!.*?\*\/ )?"([^"]+)"\)/g);
  return [...new Set([...required].map(([, name]) => name ?? ''))];
}

describe('the workflow bundle', () => {
  it('holds the workflows and nothing that reaches outside: no pg, Azure client or Node', async () => {
    const names = await modules();
    expect(names).toContain('./workflows/loop.ts');
    const outside = names.filter((name) => /node_modules\/(pg|kysely|@azure|zod|pino)\b|^node:/.test(name));
    expect(outside).toEqual([]);
  });

  it('takes of our own code only workflows, their inputs and the pure core', async () => {
    const ours = (await modules()).filter((name) => name.startsWith('./') && !name.startsWith('./node_modules/'));
    expect(ours.filter((name) => !/^\.\/(workflows|schema\/inputs|namespace)\//.test(name))).toEqual([]);
  });
});
