import { setTimeout as sleep } from 'node:timers/promises';
import type { PublishedMessage } from '../../infra/local/amqp/messages.ts';
import { eventOf } from './events.ts';

/** What is published, and how fast. */
export interface Publication {
  /** The number of the first event. */
  readonly from: number;
  readonly events: number;
  readonly keys: number;
  /** Events a second. @default as fast as they are taken */
  readonly perSecond?: number | undefined;
}

const AT_ONCE = 500;
const EVERY_MS = 5;

/**
 * Publishes events from within the broker, as Event Grid's delivery costs the reader's machine nothing: Azure's client
 * as a sender took as much of the processors as the intake.
 *
 * @param put is told of which name a message is, too.
 * @returns how many seconds it took.
 */
export async function publish(
  { from, events, keys, perSecond }: Publication,
  put: (message: PublishedMessage, name: string) => Promise<void>,
): Promise<number> {
  const began = performance.now();
  const due = () =>
    perSecond === undefined ? events : Math.min(events, Math.floor(((performance.now() - began) * perSecond) / 1_000));
  for (let sent = 0; sent < events; ) {
    const upTo = Math.min(due(), sent + AT_ONCE);
    if (upTo > sent) {
      const numbers = Array.from({ length: upTo - sent }, (_, at) => from + sent + at);
      await Promise.all(numbers.map((number) => put(...messageOf(number, keys))));
      sent = upTo;
    } else await sleep(EVERY_MS);
  }
  return (performance.now() - began) / 1_000;
}

function messageOf(number: number, keys: number): [message: PublishedMessage, name: string] {
  const body = eventOf(number, keys);
  return [{ body, messageId: body.id }, body.subject];
}
