import rhea, { type Message } from 'rhea';

const { message: codec } = rhea;

/** The message format that a client's batch carries: its body is one encoded message per data section. */
const BATCH_FORMAT = 0x80013700;

/** A message as the embedded stack itself publishes it, for what Event Grid would deliver. */
export interface PublishedMessage {
  readonly messageId: string;
  /** Sent as UTF-8 JSON in one data section; bytes are sent as they are. */
  readonly body: unknown;
  readonly applicationProperties?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** The messages of a transfer: one, or a batch of them. */
export function messagesOf(received: unknown, format: number): readonly Message[] {
  if (format !== BATCH_FORMAT) return [received as Message];
  const envelope: Message = codec.decode(received as Buffer) as unknown as Message;
  const { content, multiple } = envelope.body as { content: Buffer | readonly Buffer[]; multiple?: boolean };
  const parts = multiple ? (content as readonly Buffer[]) : [content as Buffer];
  return parts.map((part) => codec.decode(part) as unknown as Message);
}

export function contentOf({ messageId, body, applicationProperties }: PublishedMessage): Message {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  return {
    message_id: messageId,
    content_type: 'application/json',
    application_properties: { ...applicationProperties },
    body: codec.data_section(bytes),
  };
}
