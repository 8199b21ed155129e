import { z } from 'zod';

/** `isthmus dev --json`, once everything answers. */
export const devOutput = z.object({
  ready: z.literal(true),
  seconds: z.number().min(0),
  state: z.string().describe('The folder that everything is kept in.'),
  env: z.record(z.string(), z.string()).describe('The endpoints, under the names that other tools know.'),
});
