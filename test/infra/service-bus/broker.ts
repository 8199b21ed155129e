import { ServiceBusClient } from '@azure/service-bus';
import type { QueueOptions } from '../../../infra/local/service-bus/message-queue.ts';
import { type RunningServiceBus, startServiceBus } from '../../../infra/local/service-bus/service-bus.ts';
import { OwnTime } from '../../support/own-time.ts';

/** A broker with one queue `q`, and Azure's own client of it. */
export interface TestBroker extends AsyncDisposable {
  readonly bus: RunningServiceBus;
  readonly client: ServiceBusClient;
  /** The broker's clock: no lock runs out because the machine stood still. */
  readonly time: OwnTime;
}

/** @param answerMs after how long the client takes an answer for lost. */
export async function testBroker(options: Partial<QueueOptions> = {}, answerMs = 20_000): Promise<TestBroker> {
  const queue = { name: 'q', lockMs: 30_000, maxDeliveryCount: 10, duplicateWindowMs: 0, ...options };
  const time = new OwnTime();
  const bus = await startServiceBus({ port: 0, queues: [queue], now: () => time.now() });
  const client = new ServiceBusClient(bus.connectionString, {
    retryOptions: { retryDelayInMs: 50, maxRetryDelayInMs: 200, timeoutInMs: answerMs },
  });
  return {
    bus,
    client,
    time,
    async [Symbol.asyncDispose]() {
      await client.close();
      await bus.stop();
      time[Symbol.dispose]();
    },
  };
}

/** Publishes messages with the bodies 0 to n - 1, as Event Grid would. */
export async function publish({ bus }: TestBroker, n: number): Promise<void> {
  for (let at = 0; at < n; at++) {
    await bus.publish('q', { messageId: `id-${at}`, body: { at, padding: 'x'.repeat(500) } });
  }
}
