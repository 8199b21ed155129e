import { z } from 'zod';

/** Where a workflow stands. */
export const controlState = z.enum(['running', 'waiting', 'approval', 'paused', 'alarm', 'done']);

/** `isthmus pause --json` and `isthmus resume --json`. */
export const controlOutput = z.object({
  changed: z.array(
    z.object({
      source: z.string(),
      id: z.string().describe("The workflow's, or the schedule's."),
      state: controlState,
      reason: z.string().nullable(),
    }),
  ),
});
export type ControlOutput = z.output<typeof controlOutput>;
