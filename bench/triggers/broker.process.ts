/** The embedded broker with one queue. Says how to connect; what it is told to publish, it publishes, and says so. */
import { startServiceBus } from '../../infra/local/service-bus/service-bus.ts';
import { QUEUE } from '../bench-services.ts';
import { say, told } from '../child.ts';
import { type Publication, publish } from './publish.ts';

const queue = { name: QUEUE, lockMs: 60_000, maxDeliveryCount: 10, duplicateWindowMs: 0 };
const broker = await startServiceBus({ port: 0, queues: [queue] });
say({ connectionString: broker.connectionString });
for await (const publication of told<Publication>()) {
  const seconds = await publish(publication, (message) => broker.publish(QUEUE, message));
  say({ seconds });
}
