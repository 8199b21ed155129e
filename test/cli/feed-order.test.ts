import { type Client, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { changeAll, formatChanged } from '../../cli/commands/control.ts';
import { formatGoesOn, refusalOf } from '../../cli/commands/feed-order.ts';

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

  /** Of a Temporal without a worker for all but one workflow. */
  function clientWhere(answers: string): Client {
    let aborted: Promise<never> | undefined;
    const client: unknown = {
      withAbortSignal: (signal: AbortSignal, ask: () => Promise<unknown>) => {
        aborted = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        return ask();
      },
      workflow: {
        getHandle: (id: string) => ({
          executeUpdate: () => (id === answers ? Promise.resolve({ state: 'paused' }) : aborted),
        }),
      },
    };
    return client as Client;
  }

  it.each([{ pause: { reason: 'why' } }, 'resume'] as const)('gives up and names the others', async (action) => {
    const options = { signal: new AbortController().signal, withinMs: 20 };
    const wanted = ['feed', 'look', 'gpu'].map(loop);
    await expect(changeAll(clientWhere('look/contoso'), wanted, [], action, options)).rejects.toMatchObject({
      code: 'ISTHMUS_SOURCE_UNAVAILABLE',
      message:
        'feed/contoso, gpu/contoso have not answered within 0.02 s: no worker runs, or its storage or index is in ' +
        'trouble. Look at `isthmus status` before ordering again, since Temporal may still carry it out.',
    });
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
    const options = { signal: new AbortController().signal, withinMs: 60_000 };
    const wanted = ['feed', 'look'].map(loop);
    await expect(changeAll(client as Client, wanted, [], 'resume', options)).rejects.toThrow('no such loop');
    expect(heard?.aborted).toBe(true);
  });

  it('asks nothing where it was interrupted before', async () => {
    let asked = false;
    const client: unknown = { withAbortSignal: () => (asked = true) };
    const options = { signal: AbortSignal.abort(new Error('interrupted')) };
    await expect(changeAll(client as Client, [loop('feed')], [], 'resume', options)).rejects.toThrow('interrupted');
    expect(asked).toBe(false);
  });

  it('ends as an interrupt where it is interrupted', async () => {
    const interrupt = new AbortController();
    const options = { signal: interrupt.signal, withinMs: 60_000 };
    const running = changeAll(clientWhere(''), [loop('feed')], [], 'resume', options);
    interrupt.abort(new Error('interrupted'));
    await expect(running).rejects.toThrow('interrupted');
  });
});
