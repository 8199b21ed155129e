import { CancellationScope } from '@temporalio/workflow';
import type { LoopInput } from '../schema/inputs/control.ts';
import { turns } from './activities.ts';
import { runLoop } from './loop.ts';

/** Blobs that only a direct look can decide about, and entries of containers that died, swept. */
export function look(input: LoopInput): Promise<void> {
  return runLoop(input, {
    source: 'look',
    title: 'Looks and sweeps',
    doing: 'answering looks, sweeping dead incarnations',
    turn: async (seconds) => {
      const [answers, sweeps] = await together([
        turns.answerLooks.executeWithOptions({ summary: 'look at blobs that are due' }, [{ seconds }]),
        turns.sweepIncarnations.executeWithOptions({ summary: 'sweep dead incarnations' }, [{ seconds }]),
      ]);
      return { ...answers, ...sweeps };
    },
    count: ({ answered, swept }) => ({ answered, swept }),
    note: ({ answered, pending, swept }) => `Last turn: ${answered} answered, ${pending} pending, ${swept} swept.`,
  });
}

/** Waits for both. Where one fails the other is cancelled and waited for, so that the next turn meets nothing of this one. */
async function together<A, B>(work: readonly [Promise<A>, Promise<B>]): Promise<[A, B]> {
  try {
    return await Promise.all(work);
  } catch (error) {
    CancellationScope.current().cancel();
    await Promise.allSettled(work);
    throw error;
  }
}
