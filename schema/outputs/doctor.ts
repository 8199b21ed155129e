import { z } from 'zod';
import { count } from './time.ts';

/** Each line of `isthmus doctor --json` but the last: one check, as soon as it is done. */
export const doctorCheck = z.object({
  check: z.string().describe('Stable: `group.what`, such as `queue.lock`.'),
  outcome: z
    .enum(['good', 'warning', 'wrong', 'unknown'])
    .describe(
      'warning: it works, and will hurt; wrong: the federation cannot do its work so; unknown: it may not be read from here, or there is nothing to judge yet.',
    ),
  says: z.string(),
  mend: z
    .string()
    .nullable()
    .describe('The command or the setting that mends it; of what is not known, how to find out.'),
});
export type DoctorCheck = z.output<typeof doctorCheck>;

/** The last line of `isthmus doctor --json`. */
export const doctorOutput = z.object({
  sound: z.boolean().describe('Nothing is wrong; with `--strict`, there is no warning either.'),
  good: count,
  warnings: count,
  wrong: count,
  unknown: count,
});
export type DoctorOutput = z.output<typeof doctorOutput>;
