import { patched } from '@temporalio/workflow';
import type { LoopInput } from '../schema/inputs/control.ts';
import { turns } from './activities.ts';
import { runLoop } from './loop.ts';
import { together } from './together.ts';

/** Blobs that only a direct look can decide about, entries of containers that died, and directories that went, worked off. */
export function look(input: LoopInput): Promise<void> {
  return runLoop(input, {
    source: 'look',
    title: 'Looks and sweeps',
    doing: 'answering looks, sweeping dead incarnations',
    turn: async (seconds) => {
      const [answers, sweeps, subtrees] = await together([
        turns.answerLooks.executeWithOptions({ summary: 'look at blobs that are due' }, [{ seconds }]),
        turns.sweepIncarnations.executeWithOptions({ summary: 'sweep dead incarnations' }, [{ seconds }]),
        patched('subtrees')
          ? turns.workSubtrees.executeWithOptions({ summary: 'work directories off that went' }, [{ seconds }])
          : Promise.resolve({ gone: 0, directories: 0 }),
      ]);
      return { ...answers, ...sweeps, ...subtrees };
    },
    count: ({ answered, swept, gone }) => ({ answered, swept, gone }),
    note: ({ answered, pending, swept, gone, directories }) =>
      `Last turn: ${answered} answered, ${pending} pending, ${swept} swept, ${gone} gone with a directory, ${directories} directories on their way.`,
  });
}
