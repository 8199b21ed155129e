/** An intake that is killed, as by the kernel, once it has received, or once it has committed. */

import { serviceBusClient } from '../../../activities/azure/service-bus-client.ts';
import { ServiceBusQueue } from '../../../activities/azure/service-bus-queue.ts';
import { triggerActivities } from '../../../activities/receive-triggers.ts';
import { openIndex } from '../../../schema/index/database.ts';
import type { TriggerQueue } from '../../../schema/ports/trigger-queue.ts';
import { runActivity, testServices } from '../test-services.ts';

export interface KillArgument {
  readonly connectionString: string;
  readonly url: string;
  readonly when: 'received' | 'committed';
}

const { connectionString, url, when } = JSON.parse(process.argv[2] ?? '') as KillArgument;
const kill = () => process.kill(process.pid, 'SIGKILL');
const queue = new ServiceBusQueue(serviceBusClient({ connectionString }), { queue: 'q' });
const killing: TriggerQueue = {
  async receive(max, waitMs, signal) {
    const messages = await queue.receive(max, waitMs, signal);
    if (when === 'received' && messages.length > 0) kill();
    return messages;
  },
  complete: async () => void kill(),
  abandon: (messages) => queue.abandon(messages),
  deadLetter: (message, reason, description) => queue.deadLetter(message, reason, description),
  oldest: () => queue.oldest(),
  close: () => queue.close(),
};
const services = await testServices(openIndex(url), { queue: killing });
await runActivity(() => triggerActivities(services).receiveTriggers({ seconds: 600 }));
