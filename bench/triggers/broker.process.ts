/** The embedded broker with one empty queue; says how to connect. */
import { startServiceBus } from '../../infra/local/service-bus/service-bus.ts';
import { QUEUE } from '../bench-services.ts';
import { say } from '../child.ts';

const queue = { name: QUEUE, lockMs: 60_000, maxDeliveryCount: 10, duplicateWindowMs: 0 };
const { connectionString } = await startServiceBus({ port: 0, queues: [queue] });
say({ connectionString });
