import { readdir, readFile } from 'node:fs/promises';

/** Of Linux on every machine that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Processor seconds of a Postgres and all of its servers, those that ended among them. @returns undefined where the machine does not tell. */
export async function postgresCpuSeconds(postmaster: number | undefined): Promise<number | undefined> {
  if (postmaster === undefined) return undefined;
  let ticks = 0;
  try {
    for (const pid of await readdir('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      const fields = await statOf(pid);
      if (fields === undefined) continue;
      const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11);
      if (Number(pid) === postmaster) ticks += user + system + endedUser + endedSystem;
      else if (fields[1] === postmaster) ticks += user + system;
    }
  } catch {
    return undefined;
  }
  return ticks / TICKS_PER_SECOND;
}

/** What follows the command's name, which may hold anything; the state, the first, is no number. */
async function statOf(pid: string): Promise<readonly number[] | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    return text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}
