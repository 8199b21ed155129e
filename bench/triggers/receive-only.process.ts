/** Azure's own client receives, completes, and does nothing else. */
import { ServiceBusClient } from '@azure/service-bus';
import { QUEUE } from '../bench-services.ts';
import { argumentOf, say } from '../child.ts';

interface ReceiveOnlyArgument {
  readonly bus: string;
  readonly events: number;
  /** Receivers at a time, and what each holds at most. */
  readonly receivers: number;
  readonly hold: number;
}

const { bus, events, receivers, hold } = argumentOf<ReceiveOnlyArgument>();
const client = new ServiceBusClient(bus);
const { promise, resolve, reject } = Promise.withResolvers<void>();
let completed = 0;
const began = performance.now();
for (let each = 0; each < receivers; each++) {
  const receiver = client.createReceiver(QUEUE, { skipParsingBodyAsJson: true, maxAutoLockRenewalDurationInMs: 0 });
  receiver.subscribe(
    {
      async processMessage(message) {
        await receiver.completeMessage(message);
        if (++completed === events) resolve();
      },
      processError: async ({ error }) => reject(error),
    },
    { autoCompleteMessages: false, maxConcurrentCalls: hold },
  );
}
await promise;
const { user, system } = process.cpuUsage();
say({ events, seconds: (performance.now() - began) / 1_000, cpuSeconds: (user + system) / 1e6 });
process.exit(0);
