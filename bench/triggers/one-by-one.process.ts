/** A handler as the client's samples have it: each message is applied in a transaction of its own, then completed. */
import { ServiceBusClient } from '@azure/service-bus';
import { applyUnderRules } from '../../activities/apply-under-rules.ts';
import { readBatch } from '../../activities/azure/trigger-batch.ts';
import { applyEvents } from '../../schema/index/apply-events.ts';
import { type BenchPlaces, benchServices, QUEUE } from '../bench-services.ts';
import { argumentOf, say } from '../child.ts';

/** As many as there are connections to Postgres. */
const AT_ONCE = 10;

const { events, ...places } = argumentOf<BenchPlaces & { readonly events: number }>();
const services = await benchServices(places);
const client = new ServiceBusClient(places.bus ?? '');
const receiver = client.createReceiver(QUEUE, { skipParsingBodyAsJson: true });
const { promise, resolve, reject } = Promise.withResolvers<void>();
let completed = 0;
const began = performance.now();
receiver.subscribe(
  {
    async processMessage(message) {
      const trigger = { id: String(message.messageId), body: message.body, enqueuedAt: Date.now(), deliveryCount: 1 };
      const batch = readBatch([trigger], services.account);
      await applyUnderRules(services, (tx, scope) => applyEvents(tx, { ...scope, events: batch.events }));
      await receiver.completeMessage(message);
      if (++completed === events) resolve();
    },
    processError: async ({ error }) => reject(error),
  },
  { autoCompleteMessages: false, maxConcurrentCalls: AT_ONCE },
);
await promise;
say({ events, seconds: (performance.now() - began) / 1_000 });
process.exit(0);
