import rhea, { type Message } from 'rhea';
import { reorderLockToken } from './lock-token.ts';
import type { MessageQueue, Settlement } from './message-queue.ts';
import { encodeMessage } from './wire-message.ts';

const { types } = rhea;

type Properties = Readonly<Record<string, unknown>>;

const NO_CONTENT = { status: 204, description: 'No messages', body: {} };
const LOCK_LOST = {
  status: 410,
  condition: 'com.microsoft:message-lock-lost',
  description:
    'The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue.',
  body: {},
};

interface Answer {
  readonly status: number;
  readonly description: string;
  readonly condition?: string;
  readonly body: unknown;
}

/** Answers one request to `QUEUE/$management`: peek, renew a lock, receive deferred messages, settle. Schedules, sessions and rules are refused. */
export function manage(queue: MessageQueue, request: Message, now: number): Message {
  const answer = answerTo(queue, request, now);
  return {
    correlation_id: request.message_id as string,
    application_properties: {
      statusCode: types.wrap_int(answer.status),
      statusDescription: answer.description,
      ...(answer.condition ? { errorCondition: answer.condition } : {}),
    },
    body: answer.body,
  };
}

function answerTo(queue: MessageQueue, request: Message, now: number): Answer {
  const body = (request.body ?? {}) as Properties;
  const operation = String(request.application_properties?.operation);
  switch (operation) {
    case 'com.microsoft:peek-message':
      return peek(queue, body);
    case 'com.microsoft:renew-lock':
      return renew(queue, body, now);
    case 'com.microsoft:receive-by-sequence-number':
      return receiveDeferred(queue, body, now);
    case 'com.microsoft:update-disposition':
      return updateDisposition(queue, body, now);
    default:
      return {
        status: 501,
        condition: 'amqp:not-implemented',
        description: `The embedded broker does not do ${operation}.`,
        body: {},
      };
  }
}

function peek(queue: MessageQueue, body: Properties): Answer {
  const found = queue.peek(toNumber(body['from-sequence-number']), toNumber(body['message-count']));
  if (found.length === 0) return NO_CONTENT;
  const messages = found.map((message) => ({ message: encodeMessage(message, undefined) }));
  return { status: 200, description: 'OK', body: { messages } };
}

function renew(queue: MessageQueue, body: Properties, now: number): Answer {
  const until = tokensOf(body).map((token) => queue.renew(token, now));
  const expirations = until.filter((at) => at !== undefined).map((at) => types.wrap_timestamp(at));
  if (expirations.length < until.length) return LOCK_LOST;
  return { status: 200, description: 'OK', body: { expirations } };
}

function receiveDeferred(queue: MessageQueue, body: Properties, now: number): Answer {
  const sequences = (body['sequence-numbers'] as readonly unknown[]).map(toNumber);
  const locked = queue.lockDeferred(sequences, now);
  if (locked.length < sequences.length) {
    return {
      status: 404,
      condition: 'com.microsoft:message-not-found',
      description: 'At least one of the messages is not deferred in this queue.',
      body: {},
    };
  }
  const messages = locked.map(({ message, lockedUntil, token }) => ({
    message: encodeMessage(message, lockedUntil),
    'lock-token': types.wrap_uuid(reorderLockToken(token)),
  }));
  return { status: 200, description: 'OK', body: { messages } };
}

function updateDisposition(queue: MessageQueue, body: Properties, now: number): Answer {
  const settled = tokensOf(body).map((token) => settle(queue, token, body, now));
  return settled.includes('lock-lost') ? LOCK_LOST : { status: 200, description: 'OK', body: {} };
}

function settle(queue: MessageQueue, token: Buffer, body: Properties, now: number): Settlement {
  const properties = (body['properties-to-modify'] ?? {}) as Properties;
  switch (body['disposition-status']) {
    case 'completed':
      return queue.complete(token, now);
    case 'defered':
      return queue.defer(token, now, properties);
    case 'suspended':
      return queue.deadLetter(token, now, {
        ...properties,
        ...(body['deadletter-reason'] ? { DeadLetterReason: body['deadletter-reason'] } : {}),
        ...(body['deadletter-description'] ? { DeadLetterErrorDescription: body['deadletter-description'] } : {}),
      });
    default:
      return queue.abandon(token, now, properties);
  }
}

function tokensOf(body: Properties): readonly Buffer[] {
  return (body['lock-tokens'] as readonly Buffer[]).map(reorderLockToken);
}

/** rhea hands a 64-bit number over as bytes where it does not fit; sequence numbers always do. */
function toNumber(value: unknown): number {
  return Buffer.isBuffer(value) ? Number(value.readBigInt64BE()) : Number(value);
}
