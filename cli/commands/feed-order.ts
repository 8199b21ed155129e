import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { IsthmusError } from '../../schema/errors.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import type { Checked } from '../../schema/inputs/check.ts';
import type { Progress } from '../../schema/inputs/control.ts';
import { workflowIds } from '../../schema/inputs/names.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { sayIfSlow } from '../say-if-slow.ts';
import { connectTemporal } from '../temporal.ts';
import { printable } from '../terminal.ts';
import { ANSWER_WITHIN_MS, inTime } from './in-time.ts';

/** What the tail is asked to do. */
export interface FeedOrder {
  /** Of the update. */
  readonly name: string;
  readonly input: object;
  readonly checked: Checked<unknown>;
  /** How long an answer is waited for. @default a minute */
  readonly withinMs?: number | undefined;
}

/**
 * Sends an update to the account's feed tail and waits for its answer.
 *
 * @returns exit 1 where the tail refused: what was asked does not hold there.
 * @throws IsthmusError `ISTHMUS_SOURCE_UNAVAILABLE` where Temporal has no tail, or nobody answers for it in time.
 */
export async function orderFeed<Answer>(
  federation: Federation,
  update: FeedOrder,
  call: Call,
  print: (answer: Answer) => void,
): Promise<ExitCode> {
  const { terminal } = call;
  const { name, withinMs = ANSWER_WITHIN_MS } = update;
  if ('problem' in update.checked) throw new IsthmusError('ISTHMUS_USAGE', update.checked.problem);
  await using temporal = await connectTemporal(call.env);
  const id = workflowIds.feedTail(federation.account.name);
  const handle = temporal.client.workflow.getHandle(id);
  using _hint = sayIfSlow(terminal, `${id} has not answered yet: does \`isthmus worker\` run?`);
  let answer: Answer;
  try {
    const waiting = { waitedFor: () => [id], withinMs, look: 'isthmus feed show' };
    answer = await inTime(temporal.client, waiting, call, () =>
      handle.executeUpdate<Answer, [object]>(name, { args: [update.input] }),
    );
  } catch (error) {
    terminal.say(printable(`${id} refused: ${refusalOf(error, id, name)}`));
    return EXIT.no;
  }
  print(answer);
  return EXIT.good;
}

/**
 * Why the tail refused an order.
 *
 * @throws what went wrong instead, where it did not refuse.
 */
export function refusalOf(error: unknown, id: string, name: string): string {
  if (error instanceof WorkflowNotFoundError) {
    throw new IsthmusError(
      'ISTHMUS_SOURCE_UNAVAILABLE',
      `Temporal has no ${id}: start \`isthmus worker\`, which makes it where the federation names a changeFeed.`,
      { cause: error },
    );
  }
  if (!(error instanceof WorkflowUpdateFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
  const { type, message } = error.cause;
  // What the feed holds is a stranger's, and may be in it.
  if (type !== 'ISTHMUS_REFUSED') throw new Error(`${id} did not ${name}: ${printable(message)}`, { cause: error });
  return message;
}

/** Whether it goes on by itself, in a sentence. */
export function formatGoesOn({ state, pause }: Progress): string {
  return pause === undefined
    ? `The feed tail is ${state}.`
    : `The feed tail is stopped (${printable(pause.reason)}): \`isthmus resume feed\` lets it go on.`;
}
