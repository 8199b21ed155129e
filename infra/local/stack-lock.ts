import { open, readFile, rm } from 'node:fs/promises';
import { IsthmusError } from '../../schema/errors.ts';
import { processIdentity } from './process-identity.ts';

/** Held while a stack uses its state folder. */
export interface StackLock {
  /** Which process holds it, as `processIdentity` names it. */
  readonly owner: string;
  release(): Promise<void>;
}

/**
 * Takes a state folder for this process. One held by a process that is gone is taken over.
 *
 * @throws ISTHMUS_USAGE where a stack runs in it.
 */
export async function lockState(file: string): Promise<StackLock> {
  const owner = (await processIdentity(process.pid)) ?? String(process.pid);
  for (;;) {
    const handle = await open(file, 'wx').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return undefined;
      throw error;
    });
    if (handle) {
      await handle.writeFile(owner);
      await handle.close();
      return { owner, release: () => rm(file, { force: true }) };
    }
    const holder = await readFile(file, 'utf8').catch(() => '');
    const pid = Number.parseInt(holder, 10);
    if (pid > 0 && (await processIdentity(pid)) === holder) {
      throw new IsthmusError(
        'ISTHMUS_USAGE',
        `A stack runs here already, as process ${pid}. Stop it, or pass another folder with --state.`,
      );
    }
    await rm(file, { force: true });
  }
}
