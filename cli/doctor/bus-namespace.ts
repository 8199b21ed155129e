import { messageOf } from '../../schema/errors.ts';

/** The name of a Service Bus or Event Hubs namespace, as `az` takes it: the first word of its host. */
export function namespaceOf(source: {
  readonly connectionString?: string | undefined;
  readonly namespace?: string | undefined;
}): string {
  const host = source.namespace ?? /Endpoint=sb:\/\/([^/;:]+)/i.exec(source.connectionString ?? '')?.[1] ?? 'NAMESPACE';
  return host.replace(/\.servicebus\..*$/, '');
}

/** Of a connection string whose key the namespace does not know: no role mends it. Undefined where it is something else. */
export function keyMend(what: 'servicebus' | 'eventhubs', error: unknown, namespace: string): string | undefined {
  if (!messageOf(error).includes('InvalidSignature')) return undefined;
  const setting = what === 'servicebus' ? 'sources.serviceBus.connectionString' : 'sources.eventHubs.connectionString';
  return (
    `The key or the policy's name is not the namespace's: az ${what} namespace authorization-rule keys list -g GROUP ` +
    `--namespace-name ${namespace} -n POLICY --query primaryConnectionString, and set ${setting}.`
  );
}
