/** An event in the Event Grid schema, as a subscription delivers it. */
export interface EventGridEvent {
  readonly topic: string;
  readonly subject: string;
  readonly eventType: string;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly dataVersion: string;
  readonly metadataVersion: string;
  readonly eventTime: string;
}
