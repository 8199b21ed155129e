import rhea, { type Message } from 'rhea';
import type { StoredMessage } from './message-queue.ts';

const { message: codec, types } = rhea;

/** A message as it is delivered or peeked: what was sent, and the annotations that Service Bus adds. */
export function encodeMessage(message: StoredMessage, lockedUntil: number | undefined): Buffer {
  return codec.encode({
    ...message.content,
    delivery_count: message.deliveryCount,
    message_annotations: {
      ...message.content.message_annotations,
      'x-opt-sequence-number': types.wrap_long(message.sequence),
      'x-opt-enqueued-time': types.wrap_timestamp(message.enqueuedAt),
      'x-opt-message-state': types.wrap_int(message.deferred ? 1 : 0),
      ...(lockedUntil === undefined ? {} : { 'x-opt-locked-until': types.wrap_timestamp(lockedUntil) }),
      ...(message.deadLetterSource === undefined ? {} : { 'x-opt-deadletter-source': message.deadLetterSource }),
    },
  });
}

/** What was sent, without the broker's annotations, for the file that keeps a queue. */
export function encodeContent(content: Message): Buffer {
  return codec.encode(content);
}

export function decodeContent(encoded: Buffer): Message {
  return codec.decode(encoded) as unknown as Message;
}
