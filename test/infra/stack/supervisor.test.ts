import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { ChildEvent, ChildSpec } from '../../../infra/local/child-spec.ts';
import { Supervisor } from '../../../infra/local/supervisor.ts';
import { isAlive, until } from './alive.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A child that writes its id, and that of a child of its own, to a file, and then lives on. */
const LIVES = `
const { spawn } = require('node:child_process');
const grandchild = spawn('sleep', ['600'], { stdio: 'ignore' });
require('node:fs').writeFileSync(process.argv[1], process.pid + ' ' + grandchild.pid);
setInterval(() => {}, 1000);`;
const DEAF = `process.on('SIGTERM', () => {});${LIVES}`;

/** A child whose own child, once its parent is gone, takes a while to write down what it holds, and ends. */
function saving(folder: string): string {
  const file = (name: string) => `require('node:fs').writeFileSync(${JSON.stringify(path.join(folder, name))}, '')`;
  const saves = `process.on('disconnect', () => setTimeout(() => ${file('saved')}, 200)); ${file('listens')}`;
  return `
const { spawn } = require('node:child_process');
const stdio = ['ignore', 'ignore', 'ignore', 'ipc'];
const grandchild = spawn(process.execPath, ['-e', ${JSON.stringify(saves)}], { stdio });
require('node:fs').writeFileSync(process.argv[1], process.pid + ' ' + grandchild.pid);
setInterval(() => {}, 1000);`;
}

function childSpec(folder: string, code: string, more: Partial<ChildSpec> = {}): ChildSpec {
  const name = more.name ?? 'child';
  const file = path.join(folder, `${name}.pids`);
  return {
    name,
    command: process.execPath,
    args: ['-e', code, file],
    log: path.join(folder, `${name}.log`),
    prepare: () => rm(file, { force: true }),
    isReady: async () => (await pidsIn(folder, name)).length === 2,
    readyWithinMs: 120_000,
    failure: 'ISTHMUS_ASSERTION',
    ...more,
  };
}

/** A process that supervises this one child, which has started. */
async function supervisorOf({ isReady: _, prepare: __, ...spec }: ChildSpec): Promise<ChildProcess> {
  const module = JSON.stringify(import.meta.resolve('../../../infra/local/supervisor.ts'));
  const code = `
    const { Supervisor } = await import(${module});
    const { existsSync } = await import('node:fs');
    const spec = ${JSON.stringify(spec)};
    await new Supervisor().start({ ...spec, isReady: async () => existsSync(spec.args.at(-1)) });
    console.log('ready');`;
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: [...stdio] });
  await once(parent.stdout as Readable, 'data');
  return parent;
}

async function pidsIn(folder: string, name = 'child'): Promise<number[]> {
  const text = await readFile(path.join(folder, `${name}.pids`), 'utf8').catch(() => '');
  return text === '' ? [] : text.split(' ').map(Number);
}

describe('a supervised child', () => {
  it('is started again when it is killed, without what it left behind, and counted', async () => {
    await using temporary = await temporaryFolder();
    const events: ChildEvent[] = [];
    await using supervisor = new Supervisor((event) => events.push(event));
    await supervisor.start(childSpec(temporary.folder, LIVES));
    const [first = 0, grandchild = 0] = await pidsIn(temporary.folder);
    expect(supervisor.pid('child')).toBe(first);
    supervisor.kill('child', 'SIGKILL');
    await until('it runs again', () => supervisor.restarts('child') === 1 && supervisor.isUp('child'));
    expect(isAlive(grandchild)).toBe(false);
    expect(supervisor.pid('child')).not.toBe(first);
    expect(events.map(({ kind, how }) => [kind, how])).toEqual([
      ['ready', undefined],
      ['died', 'SIGKILL'],
      ['restarted', undefined],
    ]);
  });

  it('that was killed leaves what it had started the time to write down what it holds', async () => {
    await using temporary = await temporaryFolder();
    const { folder } = temporary;
    await using supervisor = new Supervisor();
    await supervisor.start(childSpec(folder, saving(folder), { restEndsWithinMs: 600_000 }));
    await until('its own child listens', async () => (await readdir(folder)).includes('listens'));
    supervisor.kill('child', 'SIGKILL');
    await until('it has saved', async () => (await readdir(folder)).includes('saved'));
    await until('it runs again', () => supervisor.restarts('child') === 1 && supervisor.isUp('child'));
  });

  it('that was killed leaves that time where all is stopped meanwhile, too', async () => {
    await using temporary = await temporaryFolder();
    const { folder } = temporary;
    const supervisor = new Supervisor();
    await supervisor.start(childSpec(folder, saving(folder), { restEndsWithinMs: 600_000 }));
    await until('its own child listens', async () => (await readdir(folder)).includes('listens'));
    supervisor.kill('child', 'SIGKILL');
    await supervisor.stop();
    expect(await readdir(folder)).toContain('saved');
  });

  it('that was killed leaves nothing where nobody waits', async () => {
    await using temporary = await temporaryFolder();
    const supervisor = new Supervisor();
    await supervisor.start(childSpec(temporary.folder, LIVES, { restEndsWithinMs: 600_000 }));
    const pids = await pidsIn(temporary.folder);
    supervisor.kill('child', 'SIGKILL');
    await until('it is down', () => !pids.slice(0, 1).some(isAlive));
    const stopped = supervisor.stop();
    supervisor.force();
    await stopped;
    await until('all are gone', () => !pids.some(isAlive));
  });

  it('gets SIGKILL with its group where it does not stop', async () => {
    await using temporary = await temporaryFolder();
    await using supervisor = new Supervisor();
    await supervisor.start(childSpec(temporary.folder, DEAF, { stopWithinMs: 200 }));
    const pids = await pidsIn(temporary.folder);
    await supervisor.stop();
    await until('all are gone', () => !pids.some(isAlive));
  });

  it('stops after those that were started later, and together with those of its own start', async () => {
    await using temporary = await temporaryFolder();
    const { folder } = temporary;
    const stopped: string[] = [];
    await using supervisor = new Supervisor(({ kind, child }) => kind === 'stopped' && stopped.push(child));
    await supervisor.start(childSpec(folder, LIVES, { name: 'base' }));
    await supervisor.start(childSpec(folder, LIVES, { name: 'left' }), childSpec(folder, LIVES, { name: 'right' }));
    const pids = supervisor.pids();
    expect(pids).toHaveLength(4);
    await supervisor.stop();
    expect(stopped.at(-1)).toBe('base');
    expect(new Set(stopped)).toEqual(new Set(['left', 'right', 'base']));
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('that cannot start is an error with the end of its log', async () => {
    await using temporary = await temporaryFolder();
    await using supervisor = new Supervisor();
    const failed = supervisor.start(
      childSpec(temporary.folder, "process.stderr.write('no such flag: --fast\\n'); process.exit(7)"),
    );
    await expect(failed).rejects.toMatchObject({ code: 'ISTHMUS_ASSERTION' });
    await expect(failed).rejects.toThrow(/child ended at its start \(exit 7\).*\nno such flag: --fast/);
  });

  it('that never answers is an error too, and is not left running', async () => {
    await using temporary = await temporaryFolder();
    const supervisor = new Supervisor();
    await expect(
      supervisor.start(childSpec(temporary.folder, LIVES, { isReady: async () => false, readyWithinMs: 300 })),
    ).rejects.toThrow('child does not answer after 0.3 s');
    const pids = supervisor.pids();
    await supervisor.stop();
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('does not outlive a supervisor that was killed with SIGKILL', async () => {
    await using temporary = await temporaryFolder();
    const { folder } = temporary;
    const parent = await supervisorOf(childSpec(folder, LIVES));
    const pids = await pidsIn(folder);
    expect(pids.filter(isAlive)).toHaveLength(2);
    parent.kill('SIGKILL');
    await until('they are gone', () => !pids.some(isAlive));
  });

  it('has the time to write down what it had started, where its supervisor was killed with SIGKILL', async () => {
    await using temporary = await temporaryFolder();
    const { folder } = temporary;
    const parent = await supervisorOf(childSpec(folder, saving(folder)));
    await until('its own child listens', async () => (await readdir(folder)).includes('listens'));
    parent.kill('SIGKILL');
    const pids = await pidsIn(folder);
    await until('they are gone', () => !pids.some(isAlive));
    expect(await readdir(folder)).toContain('saved');
  });
});
