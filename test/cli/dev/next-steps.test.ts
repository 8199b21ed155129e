import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { nextSteps } from '../../../cli/dev/next-steps.ts';
import { writeEnvFile } from '../../../infra/local/env-file.ts';
import { STACK_ENV, STACK_PROCESS, STATE_FOLDER } from '../../../infra/local/find-stack.ts';
import { processIdentity } from '../../../infra/local/process-identity.ts';
import { temporaryFolder } from '../../infra/stack/temporary-folder.ts';

const run = promisify(execFile);
const ENV = { ISTHMUS_CONFIG: '/somewhere/federation.yaml', DATABASE_URL: 'postgres://127.0.0.1:1/isthmus?a=1&b=2' };

/** A state folder as that of a stack that runs. */
async function running(state: string, env: Readonly<Record<string, string>> = ENV): Promise<string> {
  await mkdir(state, { recursive: true });
  const file = path.join(state, STACK_ENV);
  await writeEnvFile(file, { ...env, [STACK_PROCESS]: (await processIdentity(process.pid)) ?? '' });
  return file;
}

const started = (envFile: string, cwd: string) => ({ env: ENV, envFile, cwd, argv: ['node', 'isthmus'], npm: true });

describe('what to type after `isthmus dev`', () => {
  it('is the command alone in the folder whose stack it is, and in one below', async () => {
    await using temporary = await temporaryFolder();
    const { folder } = temporary;
    const file = await running(path.join(folder, STATE_FOLDER));
    for (const cwd of [folder, path.join(folder, 'below')]) {
      const [line, ...more] = await nextSteps(started(file, cwd));
      expect(line).toMatch(/in this folder find it by themselves, such as `npx isthmus status`/);
      expect(more).toEqual([]);
    }
  });

  it('has the endpoints read first where its state is elsewhere, in words that a shell takes as they are', async () => {
    await using temporary = await temporaryFolder();
    const { folder } = temporary;
    const file = await running(path.join(folder, "it's a state"));
    const lines = await nextSteps(started(file, folder));
    const [source = '', status] = lines.filter((line) => line.startsWith('  '));
    expect(status).toBe('  npx isthmus status');
    const { stdout } = await run('/bin/sh', ['-c', `${source}\nenv`], { cwd: '/', env: {} });
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining(Object.entries(ENV).map(([key, value]) => `${key}=${value}`)),
    );
  });

  it('has them read first where a nearer stack would be found', async () => {
    await using temporary = await temporaryFolder();
    const { folder } = temporary;
    const file = await running(path.join(folder, STATE_FOLDER));
    const below = path.join(folder, 'below');
    await running(path.join(below, STATE_FOLDER), { ...ENV, ISTHMUS_CONFIG: '/other.yaml' });
    expect(await nextSteps(started(file, below))).toContain(`  set -a; . ${file}; set +a`);
  });

  it.each([
    [['node', '/usr/bin/isthmus'], false, '  isthmus status'],
    [['node', '/a b/cli/isthmus.mjs'], false, "  node '/a b/cli/isthmus.mjs' status"],
    [['node', '/opt/cli/isthmus.mjs'], true, '  npx isthmus status'],
  ])('calls it as it was called: %j, by npm %j', async (argv, npm, line) => {
    await using temporary = await temporaryFolder();
    const { folder } = temporary;
    expect(await nextSteps({ ...started('/none', folder), argv, npm })).toContain(line);
  });
});
