import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError, type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { PROGRESS, type Progress } from '../../schema/inputs/control.ts';
import type { Call } from '../call.ts';
import { progressLine } from '../progress-line.ts';
import { sayIfSlow } from '../say-if-slow.ts';
import { printable, type Terminal } from '../terminal.ts';

const POLL_MS = 500;
const QUIET_POLL_MS = 2_000;

/**
 * Waits for a workflow's result and shows meanwhile, on a terminal, what it is doing; that it stands still, and why,
 * everywhere. Ctrl-C leaves the workflow running: it is Temporal's, not this command's.
 *
 * @param whatThen said after Ctrl-C, line by line: how to come back to it.
 * @param outcome what is waited for, where that is not the workflow's own result.
 * @throws with the workflow's own reason where it gave up.
 */
export async function follow<Result>(
  handle: WorkflowHandle,
  call: Call,
  whatThen: readonly string[] = [],
  outcome: () => Promise<Result> = () => handle.result() as Promise<Result>,
): Promise<Result> {
  const { signal, terminal } = call;
  const done = new AbortController();
  const watching = watch(handle, terminal, AbortSignal.any([signal, done.signal]));
  const stopWatching = async () => {
    done.abort();
    await watching;
  };
  try {
    // A call that were left to itself would be tried again on the connection that its command has closed.
    const result = handle.client.withAbortSignal(signal, outcome);
    result.catch(() => undefined);
    return await Promise.race([result, aborted(signal)]);
  } catch (error) {
    if (error instanceof WorkflowFailedError || error instanceof WorkflowUpdateFailedError) {
      throw givenUp(handle.workflowId, error);
    }
    // The line that is drawn over itself would be drawn over what is said.
    await stopWatching();
    if (signal.aborted) {
      for (const line of [`${handle.workflowId} goes on without this command.`, ...whatThen]) terminal.say(line);
    }
    throw error;
  } finally {
    await stopWatching();
  }
}

async function watch(handle: WorkflowHandle, terminal: Terminal, signal: AbortSignal): Promise<void> {
  using line = progressLine(terminal);
  let said: string | undefined;
  let progress = await firstProgress(handle, terminal, signal);
  while (!signal.aborted) {
    if (progress !== undefined) {
      const { pause } = progress;
      // Who does not see the line would wait without knowing for what.
      if (!terminal.interactive && pause !== undefined && pause.reason !== said) {
        terminal.say(`${handle.workflowId} is stopped: ${printable(pause.reason)} (\`isthmus resume\` goes on)`);
      }
      said = pause?.reason;
      line.show(textOf(progress));
    }
    await rest(terminal, signal);
    progress = await askProgress(handle, signal);
  }
}

/** Says meanwhile, once, that no worker answers. @returns undefined where it was aborted before one did. */
async function firstProgress(
  handle: WorkflowHandle,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Progress | undefined> {
  using _hint = sayIfSlow(terminal, `${handle.workflowId} has not answered yet: does \`isthmus worker\` run?`);
  while (!signal.aborted) {
    const progress = await askProgress(handle, signal);
    if (progress !== undefined) return progress;
    await rest(terminal, signal);
  }
  return undefined;
}

async function rest(terminal: Terminal, signal: AbortSignal): Promise<void> {
  await sleep(terminal.interactive ? POLL_MS : QUIET_POLL_MS, undefined, { signal }).catch(() => undefined);
}

/**
 * Without a worker it is half a minute before Temporal gives up: an abort does not wait for that. Temporal's
 * `withAbortSignal` adds a listener to its signal for each call and removes none, so that each call has a signal of its
 * own: one that lasts as long as the workflow would gather them.
 *
 * @returns undefined where nobody answers.
 */
async function askProgress(handle: WorkflowHandle, signal: AbortSignal): Promise<Progress | undefined> {
  const call = new AbortController();
  const stop = () => call.abort();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await handle.client.withAbortSignal(call.signal, () => handle.query<Progress>(PROGRESS));
  } catch {
    return undefined;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function textOf({ doing, pause, totals }: Progress): string {
  const counts = Object.entries(totals).map(([name, count]) => `${name} ${count}`);
  const now = pause === undefined ? doing : `stopped: ${pause.reason} (\`isthmus resume\` goes on)`;
  return printable([now, ...counts].join('  '));
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function givenUp(id: string, error: WorkflowFailedError | WorkflowUpdateFailedError): Error {
  const { cause } = error;
  if (cause instanceof CancelledFailure) return new Error(`${id} was cancelled.`, { cause: error });
  const reason = cause instanceof ApplicationFailure ? cause.message : (cause?.message ?? error.message);
  return new Error(`${id} gave up: ${reason}`, { cause: error });
}
