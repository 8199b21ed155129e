/** The embedded broker with one queue or event hub. Says how to connect; what it is told to publish, it publishes, and says so. */
import type { PublishedMessage } from '../../infra/local/amqp/messages.ts';
import { startEventHubs } from '../../infra/local/event-hubs/event-hubs.ts';
import { startServiceBus } from '../../infra/local/service-bus/service-bus.ts';
import { QUEUE } from '../bench-services.ts';
import { argumentOf, say, told } from '../child.ts';
import { type Publication, publish } from './publish.ts';

export interface BrokerArgument {
  /** The event hub that it has in place of a queue. */
  readonly hub?: string | undefined;
}

/** As many as Event Grid's quickstarts make. */
const PARTITIONS = 4;
/** All that a run may put there before it is read. */
const RETENTION = 1_000_000;

const { connectionString, put } = await start(argumentOf<BrokerArgument>());
say({ connectionString });
for await (const publication of told<Publication>()) say({ seconds: await publish(publication, put) });

async function start({ hub }: BrokerArgument) {
  if (hub === undefined) {
    const queue = { name: QUEUE, lockMs: 60_000, maxDeliveryCount: 10, duplicateWindowMs: 0 };
    const broker = await startServiceBus({ port: 0, queues: [queue] });
    return { ...broker, put: (message: PublishedMessage) => broker.publish(QUEUE, message) };
  }
  const hubs = [{ name: hub, partitions: PARTITIONS, retentionEvents: RETENTION }];
  const broker = await startEventHubs({ port: 0, hubs });
  return { ...broker, put: (message: PublishedMessage, name: string) => broker.publish(hub, message, name) };
}
