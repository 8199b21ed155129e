import { z } from 'zod';
import { count } from './time.ts';

/** `isthmus digest`. */
export const digestOutput = z.object({
  entries: count,
  bytes: count,
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe(
      'Over, for each live entry in key order, the UTF-8 text container/name, a NUL, the ETag without quotes, a NUL, the length in decimal, a newline.',
    ),
});
export type DigestOutput = z.output<typeof digestOutput>;
