import type { WorkflowHandle } from '@temporalio/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { follow } from '../../cli/commands/follow.ts';
import { recordingTerminal } from './recording-terminal.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Follows a workflow of which `progress` is asked, until it is let go. */
function following(query: () => Promise<unknown>) {
  const done = Promise.withResolvers<string>();
  const handle: unknown = {
    workflowId: 'replay/1',
    client: { withAbortSignal: (_signal: AbortSignal, call: () => Promise<unknown>) => call() },
    query,
    result: () => done.promise,
  };
  const terminal = recordingTerminal();
  const signal = new AbortController().signal;
  const call = { env: {}, terminal, signal, json: false, config: undefined };
  return { said: terminal.said, done, result: follow<string>(handle as WorkflowHandle, call) };
}

it('says after a while that nobody answers for a workflow, and hands out its result all the same', async () => {
  const { said, done, result } = following(() => Promise.reject(new Error('no worker')));
  await vi.advanceTimersByTimeAsync(4_900);
  expect(said).toEqual([]);
  await vi.advanceTimersByTimeAsync(200);
  expect(said).toEqual(['replay/1 has not answered yet: does `isthmus worker` run?']);
  done.resolve('result');
  expect(await result).toBe('result');
});

it('says nothing of that once a worker has answered, but why the workflow stands still', async () => {
  const pause = { reason: 'bad\n' };
  const { said, done, result } = following(async () => ({ doing: '', turns: 1, totals: {}, pause }));
  await expect.poll(() => said).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(said).toEqual(['replay/1 is stopped: bad\\u000a (`isthmus resume` goes on)']);
  done.resolve('result');
  expect(await result).toBe('result');
});
