/**
 * The process of the stand-ins: Blob Storage with its events, feed and inventory, Service Bus and Event Hubs. Event
 * Grid is what joins them: the storage front publishes, the queue or the event hub receives.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventGridMessage } from './event-grid-message.ts';
import { startEventHubs } from './event-hubs/event-hubs.ts';
import { startServiceBus } from './service-bus/service-bus.ts';
import type { ServicesOptions } from './services-options.ts';
import { startStorage } from './storage/start-storage.ts';

const options = JSON.parse(process.argv[2] ?? '') as ServicesOptions;

await mkdir(options.folder, { recursive: true });
const bus =
  options.triggers === 'event-hubs'
    ? undefined
    : await startServiceBus({
        port: options.serviceBusPort,
        queues: [options.queue],
        file: path.join(options.folder, 'service-bus.jsonl'),
      });
const hubs =
  options.triggers === 'service-bus'
    ? undefined
    : await startEventHubs({
        port: options.eventHubsPort,
        hubs: [options.hub],
        file: path.join(options.folder, 'event-hubs.jsonl'),
      });
const storage = await startStorage({
  port: options.blobPort,
  azuritePort: options.azuritePort,
  controlPort: options.controlPort,
  location: path.join(options.folder, 'azurite'),
  stateDir: path.join(options.folder, 'front'),
  feed: options.feed,
  hierarchical: options.hierarchical,
  clock: { now: Date.now, sleep: (ms, signal) => sleep(ms, undefined, { signal }) },
  inventoryEveryMs: options.inventoryEveryMs,
  onAzuriteDeath: (reason) => process.stderr.write(`Azurite died and is started again: ${reason}\n`),
  publish: async (event) => {
    const message = eventGridMessage(event);
    // The events of one blob stay in one partition, as Event Grid's partition key has it where it is set to the subject.
    await Promise.all([
      bus?.publish(options.queue.name, message),
      hubs?.publish(options.hub.name, message, event.subject),
    ]);
  },
});

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    void Promise.allSettled([storage.stop(), bus?.stop(), hubs?.stop()]).then(() => process.exit(0));
  });
}
