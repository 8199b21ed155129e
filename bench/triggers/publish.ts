import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceBusClient } from '@azure/service-bus';
import { QUEUE } from '../bench-services.ts';
import { eventOf } from './events.ts';

/** What is sent, and how fast. */
export interface Publication {
  readonly bus: string;
  /** The number of the first event. */
  readonly from: number;
  readonly events: number;
  readonly keys: number;
  /** Events a second. @default as fast as they are taken */
  readonly perSecond?: number | undefined;
}

const AT_ONCE = 500;
const EVERY_MS = 20;

/**
 * Sends events by Azure's own client. A message's id says when it was offered and of which name it is: see `offerOf`.
 *
 * @returns how many seconds it took.
 */
export async function publish({ bus, from, events, keys, perSecond }: Publication): Promise<number> {
  const client = new ServiceBusClient(bus);
  const sender = client.createSender(QUEUE);
  const began = performance.now();
  const due = () =>
    perSecond === undefined ? events : Math.min(events, Math.floor(((performance.now() - began) * perSecond) / 1_000));
  try {
    for (let sent = 0; sent < events; ) {
      const upTo = Math.min(due(), sent + AT_ONCE);
      if (upTo > sent) {
        const numbers = Array.from({ length: upTo - sent }, (_, at) => from + sent + at);
        await sender.sendMessages(numbers.map((number) => messageOf(number, keys)));
        sent = upTo;
      } else await sleep(EVERY_MS);
    }
    return (performance.now() - began) / 1_000;
  } finally {
    await client.close();
  }
}

function messageOf(number: number, keys: number) {
  const body = eventOf(number, keys);
  const name = body.subject.slice(body.subject.lastIndexOf('/') + 1);
  return { body, messageId: `${Date.now()}/${name}`, contentType: 'application/json' };
}

/** When a message was offered, in milliseconds since 1970, and the last segment of its blob's name. */
export function offerOf(messageId: string): { readonly at: number; readonly name: string } {
  const cut = messageId.indexOf('/');
  return { at: Number(messageId.slice(0, cut)), name: messageId.slice(cut + 1) };
}
