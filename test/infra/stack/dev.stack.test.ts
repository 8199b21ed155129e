import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BlobServiceClient } from '@azure/storage-blob';
import { describe, expect, it } from 'vitest';
import { readEnvFile } from '../../../infra/local/env-file.ts';
import { isAlive, until } from './alive.ts';
import { temporaryFolder } from './temporary-folder.ts';

const LAUNCHER = fileURLToPath(new URL('../../../cli/isthmus.mjs', import.meta.url));

interface Ready {
  readonly seconds: number;
  readonly state: string;
  readonly env: Readonly<Record<string, string>>;
}

interface Dev {
  readonly process: ChildProcess;
  readonly ready: Ready;
  /** Its lines for people, so far. */
  readonly said: readonly string[];
  /** Settles when it will say no more. */
  readonly silent: Promise<unknown>;
}

/** Starts `isthmus dev` and waits for the line that says it is ready. */
async function dev(folder: string): Promise<Dev> {
  const args = ['dev', '--free-ports', '--json', '--write-env', path.join(folder, 'written.env')];
  const child = spawn(process.execPath, [LAUNCHER, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  const lines = createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line);
    process.stderr.write(`${line}\n`);
  });
  const silent = once(lines, 'close');
  for await (const line of createInterface({ input: child.stdout })) {
    return { process: child, ready: JSON.parse(line) as Ready, said, silent };
  }
  throw new Error('dev ended before it was ready');
}

/** Every process of a stack: its guard, its children, and theirs. Linux alone tells. */
async function descendants(pid: number): Promise<number[]> {
  // A thread, or a process, may end while it is asked.
  const tasks = await readdir(`/proc/${pid}/task`).catch((): string[] => []);
  const lists = await Promise.all(
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '')),
  );
  const children = lists.join(' ').split(/\s+/).filter(Boolean).map(Number);
  return [...children, ...(await Promise.all(children.map(descendants))).flat()];
}

async function stubExists(env: Ready['env'], name: string): Promise<boolean> {
  const names = await readdir(path.join(env.ISTHMUS_VAST_ROOT ?? '', 'lake')).catch((): string[] => []);
  return names.includes(name);
}

describe.skipIf(process.platform !== 'linux')('isthmus dev', () => {
  it('runs the whole system, starts a killed worker again, and leaves nothing after kill', {
    timeout: 600_000,
  }, async () => {
    await using temporary = await temporaryFolder();
    const { process: child, ready } = await dev(temporary.folder);
    const { env } = ready;
    expect(await readEnvFile(path.join(temporary.folder, 'written.env'))).toEqual(env);
    expect(Object.keys(env).sort()).toEqual([
      'AZURE_SERVICEBUS_CONNECTION_STRING',
      'AZURE_STORAGE_ACCOUNT',
      'AZURE_STORAGE_CONNECTION_STRING',
      'DATABASE_URL',
      'ISTHMUS_CONFIG',
      'ISTHMUS_CONTROL_URL',
      'ISTHMUS_METRICS_URL',
      'ISTHMUS_VAST_ROOT',
      'TEMPORAL_ADDRESS',
      'TEMPORAL_NAMESPACE',
      'TEMPORAL_UI_URL',
    ]);
    const blobs = BlobServiceClient.fromConnectionString(env.AZURE_STORAGE_CONNECTION_STRING ?? '');
    const lake = blobs.getContainerClient('lake');
    await lake.create();
    await lake.getBlockBlobClient('first.txt').upload('hello', 5);
    await until('the first stub is there', () => stubExists(env, 'first.txt'));

    const all = new Set(await descendants(child.pid ?? 0));
    const worker = await workerOf([...all]);
    process.kill(worker, 'SIGKILL');
    await lake.getBlockBlobClient('second.txt').upload('hello', 5);
    await until('the second stub is there', () => stubExists(env, 'second.txt'), 120_000);

    for (const pid of await descendants(child.pid ?? 0)) all.add(pid);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    await until('none is left', () => [...all].every((pid) => !isAlive(pid)));
    expect(await readdir(ready.state)).not.toContain('stack.env');
  });

  it('does not wait when it is interrupted twice, and leaves nothing', { timeout: 600_000 }, async () => {
    await using temporary = await temporaryFolder();
    const { process: child, said, silent } = await dev(temporary.folder);
    const all = await descendants(child.pid ?? 0);
    expect(all.length).toBeGreaterThan(5);
    // It does not hear that it is to stop, and the others are asked only after it.
    process.kill(-(await workerOf(all)), 'SIGSTOP');
    const exited = once(child, 'exit');
    child.kill('SIGINT');
    await until('it waits for its children', () => said.includes('stopping; Ctrl-C again does not wait'));
    // Again and again, as two that come within half a second are taken for one.
    const insisting = setInterval(() => child.kill('SIGINT'), 700);
    const how = await exited;
    clearInterval(insisting);
    expect(how).toEqual([0, null]);
    await silent;
    // Who only waits kills the worker alone, after 25 s.
    const killed = new Set(said.filter((line) => line.endsWith('did not stop; killed')));
    const children = ['postgres', 'services', 'temporal', 'worker'];
    expect([...killed].sort()).toEqual(children.map((name) => `${name} did not stop; killed`));
    await until('none is left', () => all.every((pid) => !isAlive(pid)));
  });
});

async function workerOf(pids: readonly number[]): Promise<number> {
  for (const pid of pids) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('isthmus.mjs\0worker')) return pid;
  }
  throw new Error('There is no worker.');
}
