import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { IsthmusError } from '../../schema/errors.ts';
import type { Call } from '../call.ts';

/**
 * A worker answers within a second. One whose storage or index is in trouble may take longer than this and still do it:
 * a request to storage is sent six times, each of which may be silent for 10 s, the server may ask for 30 s before the
 * next, and one attempt of an order may last two minutes.
 */
export const ANSWER_WITHIN_MS = 60_000;

export interface Waiting {
  /** The workflows that were asked and have not answered yet. */
  readonly waitedFor: () => readonly string[];
  readonly withinMs: number;
  /** The command that tells what has become of it. */
  readonly look: string;
}

/**
 * What workflows answer to updates, which takes a worker. Temporal keeps an update that nobody has answered, so that it
 * may be carried out long after this has given up, or was interrupted, which is said then.
 *
 * @throws IsthmusError `ISTHMUS_SOURCE_UNAVAILABLE` where no answer comes in time.
 */
export async function inTime<Answer>(
  client: Pick<Client, 'withAbortSignal'>,
  { waitedFor, withinMs, look }: Waiting,
  { signal, terminal }: Pick<Call, 'signal' | 'terminal'>,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  // One that is aborted already would be heard by no call.
  signal.throwIfAborted();
  const late = AbortSignal.timeout(withinMs);
  const ended = new AbortController();
  try {
    return await client.withAbortSignal(AbortSignal.any([signal, late, ended.signal]), ask);
  } catch (error) {
    if (isAnswer(error)) throw error;
    const silent = silentOnes(waitedFor());
    if (signal.aborted) {
      if (silent !== undefined) {
        terminal.say(`${silent} yet, and Temporal may still carry the order out: look at \`${look}\`.`);
      }
      throw error;
    }
    if (!late.aborted) throw error;
    const within = `within ${withinMs / 1000} s`;
    throw new IsthmusError(
      'ISTHMUS_SOURCE_UNAVAILABLE',
      silent === undefined
        ? `Temporal has not answered ${within}, and nothing was ordered: see that it runs, then order again.`
        : `${silent} ${within}: no worker runs, or its storage or index is in trouble. ` +
            `Look at \`${look}\` before ordering again, since Temporal may still carry it out.`,
      { cause: error },
    );
  } finally {
    // Where one of several has failed, the others are still asked, and would hold the connection.
    ended.abort();
  }
}

function silentOnes(ids: readonly string[]): string | undefined {
  if (ids.length === 0) return undefined;
  return `${ids.join(', ')} ${ids.length === 1 ? 'has' : 'have'} not answered`;
}

function isAnswer(error: unknown): boolean {
  return (
    error instanceof WorkflowUpdateFailedError ||
    error instanceof WorkflowNotFoundError ||
    error instanceof IsthmusError
  );
}
