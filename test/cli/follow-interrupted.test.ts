import type { WorkflowHandle } from '@temporalio/client';
import { expect, it } from 'vitest';
import { follow } from '../../cli/commands/follow.ts';
import { recordingTerminal } from './recording-terminal.ts';

/** A workflow that no worker works for: each call lasts until it is aborted. */
function unanswered(underWay: Set<string>): WorkflowHandle {
  let bound: AbortSignal | undefined;
  const call = (name: string) => () => {
    const { promise, reject } = Promise.withResolvers<never>();
    const signal = bound;
    underWay.add(name);
    signal?.addEventListener('abort', () => {
      underWay.delete(name);
      reject(signal.reason);
    });
    return promise;
  };
  const client = {
    withAbortSignal<T>(signal: AbortSignal, work: () => T): T {
      bound = signal;
      const result = work();
      bound = undefined;
      return result;
    },
  };
  const handle: unknown = { workflowId: 'replay/lake/1', client, result: call('result'), query: call('query') };
  return handle as WorkflowHandle;
}

it('a command that follows a workflow ends at once with all its calls when it is interrupted', async () => {
  const underWay = new Set<string>();
  const interrupt = new AbortController();
  const terminal = recordingTerminal();
  const call = { env: {}, terminal, signal: interrupt.signal, json: false, config: undefined };
  const running = follow(unanswered(underWay), call);
  expect([...underWay].sort()).toEqual(['query', 'result']);
  const reason = new Error('Ctrl-C');
  interrupt.abort(reason);
  expect([...underWay]).toEqual([]);
  await expect(running).rejects.toBe(reason);
  expect(terminal.said).toEqual(['replay/lake/1 goes on without this command.']);
});
