import { z } from 'zod';

/** `isthmus triggers trust --json`. */
export const triggersTrustOutput = z.object({
  outcome: z
    .enum(['trusted', 'trusted-already', 'reread-wanted'])
    .describe(
      'trusted: triggers are applied again; trusted-already: they were; reread-wanted: the feed has not been set back yet, so nothing was changed.',
    ),
});
export type TriggersTrustOutput = z.output<typeof triggersTrustOutput>;
