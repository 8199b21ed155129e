import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Stack, type StackOptions, startStack } from '../../infra/local/stack.ts';

/**
 * A stack of its own for one test: free ports, an empty folder that goes with it, segments of a minute, and no
 * worker unless asked for.
 */
export async function testStack(options: StackOptions = {}): Promise<Stack> {
  const folder = options.state ?? (await mkdtemp(path.join(tmpdir(), 'isthmus-test-')));
  const remove = async (): Promise<void> => {
    if (options.state === undefined) await rm(folder, { recursive: true, force: true });
  };
  try {
    const stack = await startStack({
      ports: 'free',
      feed: { segmentMs: 60_000, flushMs: 200 },
      fsync: false,
      ...options,
      state: folder,
    });
    const stop = async (): Promise<void> => {
      await stack.stop();
      await remove();
    };
    return { ...stack, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await remove();
    throw error;
  }
}
