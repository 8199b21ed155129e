import { describe, expect, it } from 'vitest';
import { EventHubsBacklog } from '../../../activities/azure/event-hubs-backlog.ts';
import { serviceBusClient } from '../../../activities/azure/service-bus-client.ts';
import { ServiceBusDeadLetters } from '../../../activities/azure/service-bus-dead-letters.ts';
import { ServiceBusQueue } from '../../../activities/azure/service-bus-queue.ts';
import { startEventHubs } from '../../../infra/local/event-hubs/event-hubs.ts';
import type { Index } from '../../../schema/index/database.ts';
import { testBroker } from '../../infra/service-bus/broker.ts';

const { signal } = new AbortController();

/** A namespace whose policy has another key than the federation file. */
function miskeyed(connectionString: string): string {
  return connectionString.replace(/SharedAccessKey=[^;]+/, 'SharedAccessKey=bm90LWl0cy1rZXk=');
}

async function refusalOf(asked: Promise<unknown>): Promise<unknown> {
  return await asked.then(
    () => 'it was let in',
    (error: unknown) => error,
  );
}

/** Azure's client tries it several times, and what it throws then has no message of its own. */
function refusedOnce(what: string) {
  return {
    code: 'ISTHMUS_SOURCE_UNAVAILABLE',
    message: `${what}: InvalidSignature: The token has an invalid signature.`,
  };
}

describe('a key that the namespace does not know', () => {
  it('is the reason that a queue and its dead letters give, once', async () => {
    await using broker = await testBroker();
    const open = () => serviceBusClient({ connectionString: miskeyed(broker.bus.connectionString) });
    const queue = new ServiceBusQueue(open(), { queue: 'q' });
    const letters = new ServiceBusDeadLetters(open(), 'q');
    try {
      const asked = [queue.oldest(), letters.list(signal).next(), letters.find('1', signal)].map(refusalOf);
      const told = refusedOnce('Dead letters of Service Bus queue q');
      expect(await Promise.all(asked)).toMatchObject([refusedOnce('Service Bus queue q'), told, told]);
    } finally {
      await queue.close();
      await letters.close();
    }
  });

  it('is the reason that an event hub gives, once, however many partitions it has', async () => {
    const hubs = await startEventHubs({ port: 0, hubs: [{ name: 'events', partitions: 4 }] });
    const source = {
      ...{ eventHub: 'events', consumerGroup: '$Default' },
      connectionString: miskeyed(hubs.connectionString),
    };
    const backlog = new EventHubsBacklog({ source, index: {} as Index, accountId: 1 });
    try {
      const asked = [backlog.heads(), backlog.madeAt(signal)].map(refusalOf);
      const told = refusedOnce('Event hub events');
      expect(await Promise.all(asked)).toMatchObject([told, told]);
    } finally {
      await backlog.close();
      await hubs.stop();
    }
  });
});
