import { openDeadLetterQueue, ruleCache } from '../../activities/open-services.ts';
import type { Services } from '../../activities/services.ts';
import { type KeptDeadLetter, readOpenLetters } from '../../schema/index/dead-letters.ts';
import type { DeadLetterQueue, QueuedDeadLetter } from '../../schema/ports/dead-letter-queue.ts';
import type { Call } from '../call.ts';
import { openAccount } from '../open-account.ts';
import { connectTemporal } from '../temporal.ts';
import { requestReconcile } from '../worker/request-reconcile.ts';
import { keptId, type LetterId } from './letter.ts';

/** Where an account's dead letters are: closed by `await using`. */
export interface OpenLetters extends AsyncDisposable {
  /** Undefined where the federation has no Service Bus queue. */
  readonly queue: DeadLetterQueue | undefined;
  readonly services: Pick<
    Services,
    'account' | 'federation' | 'index' | 'rules' | 'rulesAreStale' | 'requestReconcile'
  >;
}

const PAGE = 100;

/** Nothing is asked of Service Bus or Temporal before it is needed. */
export async function openLetters(call: Call): Promise<OpenLetters> {
  const open = await openAccount(call);
  const { federation, index, account } = open;
  const queue = openDeadLetterQueue(federation);
  return {
    queue,
    services: {
      ...{ account, federation, index, ...ruleCache(index, account) },
      requestReconcile: async (input) => {
        await using temporal = await connectTemporal(call.env);
        await requestReconcile(temporal.client, federation, input);
      },
    },
    async [Symbol.asyncDispose]() {
      await queue?.close();
      await open[Symbol.asyncDispose]();
    },
  };
}

/** Those in the queue's own dead-letter queue, with this reason where one is asked for. */
export async function* queuedLetters(
  { queue }: OpenLetters,
  reason: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<QueuedDeadLetter> {
  if (queue === undefined) return;
  for await (const letter of queue.list(signal)) if (reason === undefined || letter.reason === reason) yield letter;
}

/** Those that the index keeps and nobody has settled, with this reason where one is asked for. */
export async function* keptLetters(
  { services: { account, index } }: OpenLetters,
  reason: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<KeptDeadLetter> {
  for (let after = 0; ; ) {
    signal.throwIfAborted();
    const page = await readOpenLetters(index.db, account.id, { limit: PAGE, after });
    for (const letter of page) if (reason === undefined || letter.reason === reason) yield letter;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.id;
  }
}

/**
 * Why there is no letter of an id, and what there is.
 *
 * @param namesake the letter that has the same number and came from elsewhere.
 */
export function whyMissing({ queue }: OpenLetters, id: LetterId, namesake?: KeptDeadLetter): string {
  if ('queued' in id && queue === undefined) return 'the federation file names no Service Bus queue';
  if (namesake !== undefined) return `the letter of this number is ${keptId(namesake)}`;
  return 'there is none of this id, and `isthmus deadletter list` prints those that there are';
}
