import { execFile } from 'node:child_process';
import { chown, mkdir, readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { IsthmusError } from '../../schema/errors.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';

const run = promisify(execFile);

export const POSTGRES_USER = 'isthmus';
export const POSTGRES_PASSWORD = 'isthmus';
/** How long the server of a stack that is gone may take to stop, in steps of 50 ms. */
const ORPHAN_STEPS = 200;

/**
 * Makes a database cluster where there is none. One that was left half-made is made anew.
 *
 * @throws ISTHMUS_INDEX_UNAVAILABLE with what initdb said.
 */
export async function ensureCluster(
  dataDir: string,
  { initdb, user }: PostgresBinaries,
  fsync: boolean,
): Promise<void> {
  const made = path.join(dataDir, 'isthmus-made');
  if (await readFile(made).catch(() => undefined)) return;
  await rm(dataDir, { recursive: true, force: true });
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  if (user) await chown(dataDir, user.uid, user.gid);
  const password = path.join(path.dirname(dataDir), `.postgres-password-${process.pid}`);
  await writeFile(password, `${POSTGRES_PASSWORD}\n`, { mode: 0o600 });
  if (user) await chown(password, user.uid, user.gid);
  try {
    const flags = ['--encoding=UTF8', '--no-locale', '--auth=scram-sha-256', `--username=${POSTGRES_USER}`];
    await run(initdb, ['-D', dataDir, ...flags, `--pwfile=${password}`, ...(fsync ? [] : ['--no-sync'])], {
      cwd: '/',
      env: { ...process.env, LC_ALL: 'C' },
      ...user,
    });
    await writeFile(made, '');
  } catch (cause) {
    const { stderr, message } = cause as { stderr?: string; message: string };
    throw new IsthmusError('ISTHMUS_INDEX_UNAVAILABLE', `initdb failed in ${dataDir}:\n${stderr || message}`, {
      cause,
    });
  } finally {
    await rm(password, { force: true });
  }
}

/**
 * Deals with the `postmaster.pid` of a server that did not stop by itself. Postgres refuses to start where the
 * process it names is alive, even where the id now belongs to another program: then the file goes. Where it is
 * this very cluster's server, left over from a stack that was killed, it is stopped first.
 */
export async function clearStalePostmaster(dataDir: string): Promise<void> {
  const file = path.join(dataDir, 'postmaster.pid');
  const pid = Number.parseInt((await readFile(file, 'utf8').catch(() => '')).split('\n')[0] ?? '', 10);
  if (!(pid > 0)) return;
  if (!(await isServerOf(pid, dataDir))) {
    await rm(file, { force: true });
    return;
  }
  process.kill(pid, 'SIGINT');
  for (let step = 0; step < ORPHAN_STEPS && (await isServerOf(pid, dataDir)); step++) await sleep(50);
}

/** A server's working directory is its data directory. Elsewhere than on Linux its command line tells. */
async function isServerOf(pid: number, dataDir: string): Promise<boolean> {
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  if (cwd !== undefined) return cwd === (await realpath(dataDir));
  if (process.platform === 'linux') return false;
  const listed = await run('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => undefined);
  return listed?.stdout.includes(dataDir) ?? false;
}
