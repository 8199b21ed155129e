/**
 * What is measured: the worker's own intake, from a queue to the index, and where there is a file view the worker's own
 * dispatch beside it. Says when it listens, then its figures.
 */
import { stubActivities } from '../../activities/dispatch-stubs.ts';
import { triggerActivities } from '../../activities/receive-triggers.ts';
import type { Services } from '../../activities/services.ts';
import type { Sink } from '../../schema/ports/sink.ts';
import type { TriggerQueue } from '../../schema/ports/trigger-queue.ts';
import { asActivity } from '../as-activity.ts';
import { type BenchPlaces, benchServices } from '../bench-services.ts';
import { argumentOf, peakRssMiB, say } from '../child.ts';
import { type Percentiles, percentilesOf } from './percentiles.ts';
import { offerOf } from './publish.ts';

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
  return {
    async receive(max, waitMs, signal) {
      began ??= performance.now();
      const messages = await queue.receive(max, waitMs, signal);
      if (waits && messages.length === 0) {
        waits = false;
        say({ listening: true });
      }
      if (stubs) for (const { id } of messages) noteOffer(id);
      return messages;
    },
    async complete(messages) {
      for (const { id } of messages) measure(toIndexMs, offerOf(id).at);
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

function noteOffer(id: string): void {
  const { at, name } = offerOf(id);
  owed.set(name, Math.min(owed.get(name) ?? at, at));
}

function watchSink(sink: Sink): Sink {
  const done = (name: string) => {
    const last = name.slice(name.lastIndexOf('/') + 1);
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
  sinks: new Map([...opened.sinks].map(([name, sink]) => [name, watchSink(sink)])),
};
const { receiveTriggers } = triggerActivities(services);
const { dispatchStubs } = stubActivities(services);
const before = process.cpuUsage();
const start = performance.now();
const quiet = (error: unknown) => {
  if (!over.signal.aborted) throw error;
};
const [turn] = await Promise.all([
  asActivity(() => receiveTriggers({ seconds: A_DAY }), over.signal),
  stubs ? asActivity(() => dispatchStubs({ seconds: A_DAY, sink: 'vast' }), over.signal).catch(quiet) : undefined,
]);
const { user, system } = process.cpuUsage(before);
const figures: IntakeFigures = {
  messages: turn.messages,
  applied: turn.applied,
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
