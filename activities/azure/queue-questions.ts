import { DefaultAzureCredential } from '@azure/identity';
import { type QueueProperties, ServiceBusAdministrationClient } from '@azure/service-bus';
import { type ServiceBusNamespace, serviceBusClient } from './service-bus-client.ts';

/** Whoever asks how a queue is wants the first answer. */
const ASKING = { retryOptions: { maxRetries: 0, timeoutInMs: 8_000 } };
/** A client that cannot connect may take its whole time limit to close. */
const CLOSE_MS = 1_000;

/** Peeks at the queue: that it is there, is reached, and may be listened to. Nothing is locked or counted by it. */
export async function peekQueue(
  bus: ServiceBusNamespace & { readonly queue: string },
  signal: AbortSignal,
): Promise<void> {
  const client = serviceBusClient(bus, ASKING);
  try {
    await client.createReceiver(bus.queue).peekMessages(1, { abortSignal: signal });
  } finally {
    const closed = client.close().catch(() => undefined);
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref())]);
  }
}

/** The queue's own settings, which only the management plane tells: it takes the right to manage. */
export type QueueSettings = Pick<
  QueueProperties,
  | 'lockDuration'
  | 'maxDeliveryCount'
  | 'requiresDuplicateDetection'
  | 'duplicateDetectionHistoryTimeWindow'
  | 'requiresSession'
  | 'deadLetteringOnMessageExpiration'
  | 'defaultMessageTimeToLive'
  | 'autoDeleteOnIdle'
  | 'forwardTo'
  | 'status'
>;

type Policy = Parameters<ServiceBusAdministrationClient['pipeline']['addPolicy']>[0];

/**
 * @param policy takes the place of the network: for tests.
 * @throws the client's error; `statusCode` 401 or 403 where this identity may not manage.
 */
export async function readQueueSettings(
  { connectionString, namespace, queue }: ServiceBusNamespace & { readonly queue: string },
  signal: AbortSignal,
  policy?: Policy,
): Promise<QueueSettings> {
  const once = { retryOptions: { maxRetries: 0 } };
  const client =
    connectionString === undefined
      ? new ServiceBusAdministrationClient(namespace ?? '', new DefaultAzureCredential(), once)
      : new ServiceBusAdministrationClient(connectionString, once);
  if (policy !== undefined) client.pipeline.addPolicy(policy, { afterPhase: 'Retry' });
  return await client.getQueue(queue, { abortSignal: signal });
}

/** The stand-in for Service Bus, and Microsoft's own, say so in their connection string. */
export function isEmulator({ connectionString }: ServiceBusNamespace): boolean {
  return /UseDevelopmentEmulator=true/i.test(connectionString ?? '');
}
