import { z } from 'zod';

/** The last line of `isthmus demo --json`. */
export const demoOutput = z.object({
  ok: z.boolean(),
  seconds: z.number().min(0),
  steps: z.array(
    z.object({
      title: z.string(),
      seconds: z.number().min(0),
      figures: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
    }),
  ),
});
export type DemoOutput = z.output<typeof demoOutput>;
