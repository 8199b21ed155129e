import { expect, it, vi } from 'vitest';
import { ServiceBusQueue } from '../../../activities/azure/service-bus-queue.ts';
import type { OpenAccount } from '../../../cli/open-account.ts';
import { openStatusSources } from '../../../cli/status/collect-status.ts';
import { federationSchema } from '../../../schema/federation/federation.ts';
import { StallTimers } from '../../activities/azure/stall-timers.ts';

it('a status does not wait longer than a second for a queue to be closed whose other end is silent', async () => {
  const federation = federationSchema.parse({
    name: 'lake',
    account: { name: 'contoso' },
    sources: {
      serviceBus: {
        connectionString: 'Endpoint=sb://127.0.0.1:1/;SharedAccessKeyName=k;SharedAccessKey=a2V5',
        queue: 'q',
      },
    },
    sinks: { gpu: { kind: 'fileView', root: '/nowhere' } },
    rules: [{ prefix: '', authority: 'blob', sink: 'gpu' }],
  });
  using _silent = vi.spyOn(ServiceBusQueue.prototype, 'close').mockReturnValue(new Promise(() => {}));
  const sources = openStatusSources({ federation } as unknown as OpenAccount);
  using timers = new StallTimers(1_000);
  const closing = sources[Symbol.asyncDispose]();
  expect(timers.standing).toBe(1);
  timers.pass(1_000);
  await closing;
});
