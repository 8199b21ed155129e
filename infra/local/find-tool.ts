import { access, constants, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { ensureError } from '../../schema/errors.ts';

export type ToolEnvironment = Readonly<Record<string, string | undefined>>;

/** Where a tool that was downloaded or built is kept, so that it happens once for each user. */
export function cachedTool(name: string, env: ToolEnvironment): string {
  const base = env.XDG_CACHE_HOME || path.join(env.HOME || homedir(), '.cache');
  return path.join(base, 'isthmus', name, name);
}

/** Lets `get` put a tool into a folder of its own and moves it to its place in one step. @returns why it failed. */
export async function obtainTool(
  target: string,
  get: (folder: string) => Promise<string>,
): Promise<string | undefined> {
  let folder: string | undefined;
  try {
    await mkdir(path.dirname(target), { recursive: true });
    folder = await mkdtemp(`${target}-`);
    await rename(await get(folder), target);
    return undefined;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    return (stderr || ensureError(error).message).trim().split('\n').slice(-3).join(' ');
  } finally {
    if (folder) await rm(folder, { recursive: true, force: true });
  }
}

export async function findOnPath(name: string, folders: string | undefined): Promise<string | undefined> {
  for (const folder of (folders ?? '').split(path.delimiter)) {
    const file = path.join(folder, name);
    if (folder !== '' && (await isExecutable(file))) return file;
  }
  return undefined;
}

export async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
