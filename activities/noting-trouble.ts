import { messageOf } from '../schema/errors.ts';
import { noteTrouble } from '../schema/index/run-trouble.ts';
import type { Services } from './services.ts';

/** Does a step of a run, and writes down with the run why it could not: whoever watches tells it until the run goes on. */
export async function notingTrouble<T>(
  { index }: Pick<Services, 'index'>,
  runId: number,
  signal: AbortSignal,
  step: () => Promise<T>,
): Promise<T> {
  try {
    return await step();
  } catch (error) {
    // Where Postgres is what is away it cannot be written down, and Postgres has an alarm of its own.
    if (!signal.aborted) await noteTrouble(index.db, runId, messageOf(error)).catch(() => undefined);
    throw error;
  }
}
