import { type Client, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { changeAll, formatChanged } from '../../cli/commands/control.ts';
import { formatGoesOn, refusalOf } from '../../cli/commands/feed-order.ts';
import { inTime } from '../../cli/commands/in-time.ts';
import { recordingTerminal } from './recording-terminal.ts';

const REASON = 'log/00/\u001b[31m is damaged';

describe('why a loop stands still', () => {
  it('is said without control characters of what it has read', () => {
    const pause = { by: 'error', since: 0, reason: REASON } as const;
    const said = formatGoesOn({ state: 'alarm', doing: '', turns: 1, totals: {}, pause });
    const table = formatChanged([{ source: 'feed', id: 'feed-tail/contoso', state: 'alarm', reason: REASON }]);
    for (const text of [said, table]) expect(text).toContain('log/00/\\u001b[31m is damaged');
  });
});

it('why an order failed is said in one line, whatever the feed holds', () => {
  const cause = ApplicationFailure.create({ message: 'log/00/\n\u001b[31m is damaged', type: 'ISTHMUS_FEED_CORRUPT' });
  const failed = new WorkflowUpdateFailedError('failed', cause);
  expect(() => refusalOf(failed, 'feed-tail/contoso', 'skip')).toThrow(
    'feed-tail/contoso did not skip: log/00/\\u000a\\u001b[31m is damaged',
  );
});

describe('a pause that only some loops answer', () => {
  const loop = (source: string) => ({ kind: 'loop', source, id: `${source}/contoso` }) as const;
  const noJobs = async () => [];
  const asked = (signal: AbortSignal, withinMs = 60_000) => ({ signal, withinMs, terminal: recordingTerminal() });

  /** Of a Temporal without a worker for all but one workflow. */
  function clientWhere(answers: string): Client {
    const client = {
      aborted: undefined as Promise<never> | undefined,
      withAbortSignal: (signal: AbortSignal, ask: () => Promise<unknown>) => {
        client.aborted = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        return ask();
      },
      workflow: {
        getHandle: (id: string) => ({
          executeUpdate: () => (id === answers ? Promise.resolve({ state: 'paused' }) : client.aborted),
        }),
      },
    };
    return client as unknown as Client;
  }

  it.each([{ pause: { reason: 'why' } }, 'resume'] as const)('gives up and names the others', async (action) => {
    const changed: unknown[] = [];
    const options = { ...asked(new AbortController().signal, 20), onPart: (part: unknown) => changed.push(part) };
    const wanted = ['feed', 'look', 'gpu'].map(loop);
    await expect(changeAll(clientWhere('look/contoso'), wanted, noJobs, action, options)).rejects.toMatchObject({
      code: 'ISTHMUS_SOURCE_UNAVAILABLE',
      message:
        'feed/contoso, gpu/contoso have not answered within 0.02 s: no worker runs, or its storage or index is in ' +
        'trouble. Look at `isthmus status` before ordering again, since Temporal may still carry it out.',
    });
    expect(changed).toEqual([[{ source: 'look', id: 'look/contoso', state: 'paused', reason: null }]]);
  });

  it('gives up as well where Temporal does not list its workflows, before anything was ordered', async () => {
    const client = clientWhere('feed/contoso');
    const list = () => (client as unknown as { aborted: Promise<never> }).aborted;
    const changed: unknown[] = [];
    const options = { ...asked(new AbortController().signal, 20), onPart: (part: unknown) => changed.push(part) };
    await expect(changeAll(client, [loop('feed')], list, 'resume', options)).rejects.toMatchObject({
      code: 'ISTHMUS_SOURCE_UNAVAILABLE',
      message: 'Temporal has not answered within 0.02 s, and nothing was ordered: see that it runs, then order again.',
    });
    expect(changed).toEqual([]);
  });

  it('ends the calls that are left where one of them fails, which would hold the connection', async () => {
    let heard: AbortSignal | undefined;
    const client: unknown = {
      withAbortSignal: (signal: AbortSignal, ask: () => Promise<unknown>) => {
        heard = signal;
        return ask();
      },
      workflow: {
        getHandle: (id: string) => ({
          executeUpdate: () =>
            id === 'look/contoso' ? Promise.reject(new Error('no such loop')) : new Promise(() => {}),
        }),
      },
    };
    const options = asked(new AbortController().signal);
    const wanted = ['feed', 'look'].map(loop);
    await expect(changeAll(client as Client, wanted, noJobs, 'resume', options)).rejects.toThrow('no such loop');
    expect(heard?.aborted).toBe(true);
  });

  it('asks nothing where it was interrupted before', async () => {
    let isAsked = false;
    const client: unknown = { withAbortSignal: () => (isAsked = true) };
    const options = asked(AbortSignal.abort(new Error('interrupted')));
    await expect(changeAll(client as Client, [loop('feed')], noJobs, 'resume', options)).rejects.toThrow('interrupted');
    expect(isAsked).toBe(false);
    expect(options.terminal.said).toEqual([]);
  });

  it('ends as an interrupt where it is interrupted, and says who may still carry it out', async () => {
    const interrupt = new AbortController();
    const changed: unknown[] = [];
    const options = { ...asked(interrupt.signal), onPart: (part: unknown) => changed.push(part) };
    const wanted = ['feed', 'look', 'gpu'].map(loop);
    const running = changeAll(clientWhere('look/contoso'), wanted, noJobs, 'resume', options);
    await new Promise(setImmediate);
    interrupt.abort(new Error('interrupted'));
    await expect(running).rejects.toThrow('interrupted');
    expect(options.terminal.said).toEqual([
      'feed/contoso, gpu/contoso have not answered yet, and Temporal may still carry the order out: look at `isthmus status`.',
    ]);
    expect(changed).toMatchObject([[{ id: 'look/contoso' }]]);
  });

  it('an order to the feed that is interrupted says where to look', async () => {
    const interrupt = new AbortController();
    const terminal = recordingTerminal();
    const waiting = { waitedFor: () => ['feed-tail/contoso'], withinMs: 60_000, look: 'isthmus feed show' };
    const client = clientWhere('');
    const ask = () => (client as unknown as { aborted: Promise<never> }).aborted;
    const running = inTime(client, waiting, { terminal, signal: interrupt.signal }, ask);
    interrupt.abort(new Error('interrupted'));
    await expect(running).rejects.toThrow('interrupted');
    expect(terminal.said).toEqual([
      'feed-tail/contoso has not answered yet, and Temporal may still carry the order out: look at `isthmus feed show`.',
    ]);
  });
});
