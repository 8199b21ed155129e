/**
 * The worker's own intake of triggers, from a queue that always has more: what comes is made as it is received. Says
 * that it runs, then, each time that it is told to, how many messages are settled.
 */
import { triggerActivities } from '../../activities/receive-triggers.ts';
import type { Services } from '../../activities/services.ts';
import type { TriggerMessage, TriggerQueue } from '../../schema/ports/trigger-queue.ts';
import { asActivity } from '../as-activity.ts';
import { type BenchPlaces, benchServices } from '../bench-services.ts';
import { argumentOf, say, told } from '../child.ts';
import { eventOf } from '../triggers/events.ts';

export interface IntakeMark {
  readonly settled: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const A_DAY = 24 * 3_600;
const KEYS = 1_000_000;
/** What one receive of Azure's client brings. */
const MOST = 500;
const opened = await benchServices(argumentOf<BenchPlaces>());
let made = 0;
let settled = 0;
const begun = Promise.withResolvers<void>();

const queue: TriggerQueue = {
  receive: async (max) => Array.from({ length: Math.min(max, MOST) }, () => messageOf(made++)),
  async complete(messages) {
    settled += messages.length;
    begun.resolve();
  },
  async abandon() {},
  async deadLetter(_message, reason, description) {
    throw new Error(`a synthetic trigger was refused: ${reason}, ${description}`);
  },
  oldest: async () => Date.now(),
  async close() {},
};

function messageOf(number: number): TriggerMessage {
  const body = eventOf(number, KEYS);
  return { id: body.id, body: JSON.stringify(body), enqueuedAt: Date.now(), deliveryCount: 1 };
}

/** Nobody writes stubs here: where a sink is named, intake waits for it after a minute. */
const federation = { ...opened.federation, sinks: {} };
const services: Services = { ...opened, federation, openTriggers: () => queue };
const over = new AbortController();
const intake = asActivity(() => triggerActivities(services).receiveTriggers({ seconds: A_DAY }), over.signal);
intake.catch(begun.reject);
await begun.promise;
say({ runs: true });
for await (const _ of told()) {
  const mark: IntakeMark = { settled, at: Date.now() };
  say(mark);
}
