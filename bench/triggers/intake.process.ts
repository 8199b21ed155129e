/**
 * What is measured: the worker's own intake, from a queue to the index, and where there is a file view the worker's own
 * dispatch beside it. Says when it listens, then its figures.
 */
import { stubActivities } from '../../activities/dispatch-stubs.ts';
import { eventHubActivities } from '../../activities/receive-event-hub.ts';
import { triggerActivities } from '../../activities/receive-triggers.ts';
import type { Services } from '../../activities/services.ts';
import type { Sink } from '../../schema/ports/sink.ts';
import type { TriggerMessage, TriggerQueue } from '../../schema/ports/trigger-queue.ts';
import { asActivity } from '../as-activity.ts';
import { type BenchPlaces, benchServices } from '../bench-services.ts';
import { argumentOf, peakRssMiB, say } from '../child.ts';
import { type Percentiles, percentilesOf } from './percentiles.ts';

export interface IntakeArgument extends BenchPlaces {
  /** How many messages there will be. */
  readonly events: number;
  /** Whether to say when it listens. */
  readonly waits?: boolean | undefined;
  /** What is offered in the first of these milliseconds is taken, and not measured. @default 0 */
  readonly warmMs?: number | undefined;
}

export interface IntakeFigures {
  readonly messages: number;
  readonly applied: number;
  /** From the first receive to the last settlement. */
  readonly seconds: number;
  /** When the last was settled, in milliseconds since 1970. */
  readonly endedAt: number;
  readonly peakRssMiB: number;
  readonly cpuSeconds: number;
  /** From a message's offer to its settlement, which comes after its commit. */
  readonly toIndexMs: Percentiles;
  /** From a message's offer to the stub that stands for it. */
  readonly toStubMs: Percentiles;
}

const A_DAY = 24 * 3_600;
const argument = argumentOf<IntakeArgument>();
const opened = await benchServices(argument);
const stubs = argument.root !== undefined;
const toIndexMs: number[] = [];
const toStubMs: number[] = [];
/** When the oldest event of a name was offered that has no stub yet. */
const owed = new Map<string, number>();
const over = new AbortController();
/** When the first message was offered. */
let offeredAt: number | undefined;
let settled = 0;
let began: number | undefined;
let waits = argument.waits === true;
let endedAt = 0;

function endWhereDone(): void {
  if (settled >= argument.events && owed.size === 0) over.abort();
}

/** Watches a queue from its port, so that nothing inside of the intake is measured by its own word. */
function watchQueue(queue: TriggerQueue): TriggerQueue {
  const commit = queue.commit?.bind(queue);
  return {
    ...(commit && { commit }),
    async receive(max, waitMs, signal) {
      began ??= performance.now();
      const messages = await queue.receive(max, waitMs, signal);
      if (waits && messages.length === 0) {
        waits = false;
        say({ listening: true });
      }
      if (stubs) for (const message of messages) noteOffer(message);
      return messages;
    },
    async complete(messages) {
      for (const { enqueuedAt } of messages) measure(toIndexMs, enqueuedAt);
      await queue.complete(messages);
      settled += messages.length;
      if (settled >= argument.events) endedAt = Date.now();
      endWhereDone();
    },
    abandon: (messages) => queue.abandon(messages),
    deadLetter: (message, reason, description) => queue.deadLetter(message, reason, description),
    oldest: () => queue.oldest(),
    close: () => queue.close(),
  };
}

function measure(into: number[], at: number): void {
  offeredAt ??= at;
  if (at >= offeredAt + (argument.warmMs ?? 0)) into.push(Date.now() - at);
}

function noteOffer({ body, enqueuedAt }: TriggerMessage): void {
  const { subject } = JSON.parse(String(body)) as { readonly subject: string };
  const name = lastSegment(subject);
  owed.set(name, Math.min(owed.get(name) ?? enqueuedAt, enqueuedAt));
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function watchSink(sink: Sink): Sink {
  const done = (name: string) => {
    const last = lastSegment(name);
    const at = owed.get(last);
    if (at === undefined) return;
    owed.delete(last);
    measure(toStubMs, at);
    endWhereDone();
  };
  return new Proxy(sink, {
    get(target, property) {
      if (property === 'putStub') {
        return async (...args: Parameters<Sink['putStub']>) => {
          const result = await target.putStub(...args);
          done(args[0].key.name);
          return result;
        };
      }
      if (property === 'remove') {
        return async (...args: Parameters<Sink['remove']>) => {
          const result = await target.remove(...args);
          done(args[0].name);
          return result;
        };
      }
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const services: Services = {
  ...opened,
  openTriggers: () => watchQueue(opened.openTriggers()),
  openEventHubs: () => watchQueue(opened.openEventHubs()),
  sinks: new Map([...opened.sinks].map(([name, sink]) => [name, watchSink(sink)])),
};
/** As many at once as the worker's loops have. */
const { readers = 1 } = opened.federation.sources.eventHubs ?? {};
const { receiveTriggers } = triggerActivities(services);
const { receiveEventHub } = eventHubActivities(services);
const receive = argument.hub === undefined ? receiveTriggers : receiveEventHub;
const { dispatchStubs } = stubActivities(services);
const before = process.cpuUsage();
const start = performance.now();
const quiet = (error: unknown) => {
  if (!over.signal.aborted) throw error;
};
const [turns] = await Promise.all([
  Promise.all(Array.from({ length: readers }, () => asActivity(() => receive({ seconds: A_DAY }), over.signal))),
  stubs ? asActivity(() => dispatchStubs({ seconds: A_DAY, sink: 'vast' }), over.signal).catch(quiet) : undefined,
]);
const { user, system } = process.cpuUsage(before);
const figures: IntakeFigures = {
  messages: turns.reduce((sum, turn) => sum + turn.messages, 0),
  applied: turns.reduce((sum, turn) => sum + turn.applied, 0),
  seconds: (endedAt - (performance.timeOrigin + (began ?? start))) / 1_000,
  endedAt,
  peakRssMiB: peakRssMiB(),
  cpuSeconds: (user + system) / 1e6,
  toIndexMs: percentilesOf(toIndexMs),
  toStubMs: percentilesOf(toStubMs),
};
say(figures);
await services.index.close();
process.exit(0);
