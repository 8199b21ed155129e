import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/**
 * Names one life of a process: its id and when it started, since ids are used again.
 *
 * @returns undefined where there is no such process.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined;
  }
  const started = (await startOnLinux(pid)) ?? (await startByPs(pid)) ?? '';
  return `${pid} ${started}`.trim();
}

/** The 22nd field of `/proc/PID/stat`, counted after a name in brackets that may hold spaces. */
async function startOnLinux(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

async function startByPs(pid: number): Promise<string | undefined> {
  const listed = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => undefined);
  return listed?.stdout.trim();
}
