import { stat } from 'node:fs/promises';
import path from 'node:path';
import { readEnvFile } from './env-file.ts';
import { processIdentity } from './process-identity.ts';

/** The folder that a stack keeps its state in, below the folder that it was started in. */
export const STATE_FOLDER = '.isthmus';
export const STACK_ENV = 'stack.env';
/** In `stack.env`: which process runs the stack. */
export const STACK_PROCESS = 'ISTHMUS_STACK_PROCESS';

/**
 * The environment of the stack that runs in this folder or the nearest one above, for commands started beside it.
 * Whoever uses it lets real environment variables win.
 *
 * @returns undefined where none runs.
 */
export async function findStack(cwd: string): Promise<Readonly<Record<string, string>> | undefined> {
  for (let folder = path.resolve(cwd); ; folder = path.dirname(folder)) {
    const env = await runningStack(path.join(folder, STATE_FOLDER));
    if (env || folder === path.dirname(folder)) return env;
  }
}

/** @returns this folder or the nearest one above in which a stack has ever kept its state, whether or not it runs. */
export async function findState(cwd: string): Promise<string | undefined> {
  for (let folder = path.resolve(cwd); ; folder = path.dirname(folder)) {
    const found = await stat(path.join(folder, STATE_FOLDER)).catch(() => undefined);
    if (found?.isDirectory()) return folder;
    if (folder === path.dirname(folder)) return undefined;
  }
}

/** The environment of the stack whose state is in this folder, if it runs. */
export async function runningStack(state: string): Promise<Readonly<Record<string, string>> | undefined> {
  const env = await readEnvFile(path.join(state, STACK_ENV));
  if (!env) return undefined;
  const { [STACK_PROCESS]: owner, ...rest } = env;
  return owner !== undefined && (await processIdentity(Number.parseInt(owner, 10))) === owner ? rest : undefined;
}
