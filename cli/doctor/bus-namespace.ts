/** The name of a Service Bus or Event Hubs namespace, as `az` takes it: the first word of its host. */
export function namespaceOf(source: {
  readonly connectionString?: string | undefined;
  readonly namespace?: string | undefined;
}): string {
  const host = source.namespace ?? /Endpoint=sb:\/\/([^/;:]+)/i.exec(source.connectionString ?? '')?.[1] ?? 'NAMESPACE';
  return host.replace(/\.servicebus\..*$/, '');
}
