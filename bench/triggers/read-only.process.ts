/** Azure's own client reads an event hub, and does nothing else. */
import { EventHubConsumerClient } from '@azure/event-hubs';
import { argumentOf, say } from '../child.ts';

interface ReadOnlyArgument {
  readonly bus: string;
  readonly hub: string;
  readonly events: number;
  /** Events that come together at most, and how many each partition is asked for ahead. */
  readonly batch: number;
}

const { bus, hub, events, batch } = argumentOf<ReadOnlyArgument>();
const client = new EventHubConsumerClient('$Default', bus, hub);
const { promise, resolve, reject } = Promise.withResolvers<void>();
let read = 0;
const began = performance.now();
client.subscribe(
  {
    async processEvents(received) {
      read += received.length;
      if (read >= events) resolve();
    },
    processError: async (error) => reject(error),
  },
  { startPosition: { offset: '-1' }, maxBatchSize: batch, prefetchCount: batch, skipParsingBodyAsJson: true },
);
await promise;
const { user, system } = process.cpuUsage();
say({ events, seconds: (performance.now() - began) / 1_000, cpuSeconds: (user + system) / 1e6 });
process.exit(0);
