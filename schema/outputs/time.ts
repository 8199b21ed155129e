import { z } from 'zod';

/** UTC, ISO 8601. */
export const time = z.iso.datetime().describe('UTC, ISO 8601.');
export const count = z.int().min(0);
