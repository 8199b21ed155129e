import { DefaultAzureCredential } from '@azure/identity';
import { ServiceBusClient, type ServiceBusClientOptions } from '@azure/service-bus';

/** How a Service Bus namespace is reached: by one of the two. */
export interface ServiceBusNamespace {
  readonly connectionString?: string | undefined;
  /** `NAME.servicebus.windows.net`, by `DefaultAzureCredential`. */
  readonly namespace?: string | undefined;
}

/** Settlements and renewals give up early: what they are for comes again anyway. */
const OPTIONS = { retryOptions: { maxRetries: 3, retryDelayInMs: 500, maxRetryDelayInMs: 5_000, timeoutInMs: 10_000 } };

export function serviceBusClient(
  { connectionString, namespace }: ServiceBusNamespace,
  options: ServiceBusClientOptions = OPTIONS,
): ServiceBusClient {
  return connectionString === undefined
    ? new ServiceBusClient(namespace ?? '', new DefaultAzureCredential(), options)
    : new ServiceBusClient(connectionString, options);
}
