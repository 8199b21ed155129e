import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';

const WORKFLOWS = fileURLToPath(new URL('../../workflows/workflows.ts', import.meta.url));

/** Every module that another one requires, as the bundler names them: below the working directory. */
let modules: readonly string[];
beforeAll(async () => {
  const logger = new DefaultLogger('ERROR', () => {});
  const { code } = await bundleWorkflowCode({ workflowsPath: WORKFLOWS, logger });
  const required = code.matchAll(/__webpack_require__\((?:\/\*!.*?\*\/ )?"([^"]+)"\)/g);
  modules = [...new Set([...required].map(([, name]) => name ?? ''))];
});

describe('the workflow bundle', () => {
  it('holds the workflows and nothing that reaches outside: no pg, Azure client or Node', () => {
    expect(modules).toContain('./workflows/loop.ts');
    const outside = modules.filter((name) => /node_modules\/(pg|kysely|@azure|zod|pino)\b|^node:/.test(name));
    expect(outside).toEqual([]);
  });

  it('takes of our own code only workflows, their inputs and the pure core', () => {
    const ours = modules.filter((name) => name.startsWith('./') && !name.startsWith('./node_modules/'));
    expect(ours.filter((name) => !/^\.\/(workflows|schema\/inputs|namespace)\//.test(name))).toEqual([]);
  });
});
