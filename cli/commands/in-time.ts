import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { IsthmusError } from '../../schema/errors.ts';

/**
 * A worker answers within a second. One whose storage or index is in trouble may take longer than this and still do it:
 * a request to storage is sent six times, each of which may be silent for 10 s, the server may ask for 30 s before the
 * next, and one attempt of an order may last two minutes.
 */
export const ANSWER_WITHIN_MS = 60_000;

export interface Waiting {
  /** The workflows that have not answered yet. */
  readonly waitedFor: () => readonly string[];
  readonly withinMs: number;
  /** The command that tells what has become of it. */
  readonly look: string;
}

/**
 * What workflows answer to updates, which takes a worker. Temporal keeps an update that nobody has answered, so that it
 * may be carried out long after this has given up.
 *
 * @throws IsthmusError `ISTHMUS_SOURCE_UNAVAILABLE` where no answer comes in time.
 */
export async function inTime<Answer>(
  client: Pick<Client, 'withAbortSignal'>,
  { waitedFor, withinMs, look }: Waiting,
  signal: AbortSignal,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  // One that is aborted already would be heard by no call.
  signal.throwIfAborted();
  const late = AbortSignal.timeout(withinMs);
  const ended = new AbortController();
  try {
    return await client.withAbortSignal(AbortSignal.any([signal, late, ended.signal]), ask);
  } catch (error) {
    if (!late.aborted || signal.aborted || isAnswer(error)) throw error;
    const who = waitedFor();
    throw new IsthmusError(
      'ISTHMUS_SOURCE_UNAVAILABLE',
      `${who.join(', ')} ${who.length === 1 ? 'has' : 'have'} not answered within ${withinMs / 1000} s: no worker runs, ` +
        `or its storage or index is in trouble. Look at \`${look}\` before ordering again, ` +
        'since Temporal may still carry it out.',
      { cause: error },
    );
  } finally {
    // Where one of several has failed, the others are still asked, and would hold the connection.
    ended.abort();
  }
}

function isAnswer(error: unknown): boolean {
  return (
    error instanceof WorkflowUpdateFailedError ||
    error instanceof WorkflowNotFoundError ||
    error instanceof IsthmusError
  );
}
