import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectionStringOn } from '../infra/local/storage/account.ts';
import { type RunningPart, runPart, startPart } from './child.ts';
import type { IntakeFigures } from './triggers/intake.process.ts';
import type { Percentiles } from './triggers/percentiles.ts';
import type { Publication } from './triggers/publish.ts';
import { seedIndex } from './triggers/seed-index.ts';

export type TriggerTransport = 'service-bus' | 'event-hubs';

export interface TriggersBenchOptions {
  readonly from: TriggerTransport;
  /** Names in the mix, half of them in the index before it begins. */
  readonly keys: number;
  /** Events taken as fast as it goes. */
  readonly events: number;
  readonly burst: number;
  /** The steady rate, and for how long: for `warmSeconds` to become warm, then for so long to be measured. */
  readonly offeredPerSecond: number;
  readonly warmSeconds: number;
  readonly offeredSeconds: number;
  readonly receiveOnly: number;
  readonly oneByOne: number;
}

export interface TriggersBenchmark {
  readonly bench: 'triggers';
  readonly from: TriggerTransport;
  readonly events: number;
  /** From the first receive of a queue that is full to the last settlement. */
  readonly seconds: number;
  readonly perSecond: number;
  readonly offeredPerSecond: number;
  /** At that rate, from a message's offer to the queue to its settlement, which comes after its commit. */
  readonly toIndexMs: Percentiles;
  /** At that rate, from a message's offer to its stub in a file view, by the same process. */
  readonly toStubMs: Percentiles;
  /** Of the intake's process, while it went as fast as it could. */
  readonly peakRssMiB: number;
  /** From the first message offered, to an intake that waits, to the last settled. */
  readonly burst: { readonly events: number; readonly seconds: number; readonly peakRssMiB: number };
  readonly cpuMicrosPerEvent: number;
  readonly baselines: {
    /** Azure's client receives the same messages, completes those of a queue, and does nothing else. */
    readonly receiveOnlyPerSecond: number;
    /** A handler of a queue that applies and completes each message by itself, ten at once. */
    readonly oneByOnePerSecond?: number;
  };
  readonly ratios: { readonly toReceiveOnly: number; readonly toOneByOne?: number };
}

interface Timed {
  readonly events: number;
  readonly seconds: number;
}

interface ReceiveOnly extends Timed {
  readonly cpuSeconds: number;
}

/** As the intake has them. */
const RECEIVERS = 2;
const HOLD = 1_000;
const EVENT_BATCH = 500;

/**
 * Measures triggers from a queue to the index and to stubs, on a migrated index: the embedded broker with what it is to
 * deliver, the intake and Postgres each in processes of their own.
 */
export async function runTriggers(url: string, options: TriggersBenchOptions, say: (text: string) => void) {
  const { keys, events, burst, offeredPerSecond } = options;
  const places = { url, connectionString: connectionStringOn(1) };
  let from = 0;
  let brokers = 0;
  const startBroker = async () => {
    // A new name each: the index knows how far it has read of the one before.
    const hub = options.from === 'event-hubs' ? `events-${++brokers}` : undefined;
    return { ...(await startPart<Broker>('triggers/broker', { hub })), hub };
  };
  const send = async (broker: RunningPart<Broker>, events: number, perSecond?: number): Promise<number> => {
    const publication: Publication = { from, events, keys, perSecond };
    from += events;
    broker.tell(publication);
    return (await broker.next<{ readonly seconds: number }>()).seconds;
  };
  say(`seeding ${keys / 2} of ${keys} names`);
  await seedIndex(url, keys);

  /** A part that takes what is in the queue already. */
  const drain = async <Figures>(name: string, count: number, argument: object): Promise<Figures> => {
    await using broker = await startBroker();
    const { connectionString: bus, hub } = broker;
    await send(broker, count);
    return await runPart<Figures>(`triggers/${name}`, { ...places, bus, hub, events: count, ...argument });
  };
  /** The intake, waiting, and what is then offered to it. */
  const offer = async (
    count: number,
    perSecond?: number,
    stubs: { readonly root?: string; readonly warmMs?: number } = {},
  ) => {
    await using broker = await startBroker();
    const { connectionString: bus, hub } = broker;
    await using intake: RunningPart<object> = await startPart('triggers/intake', {
      ...places,
      bus,
      hub,
      ...stubs,
      events: count,
      waits: true,
    });
    const offeredAt = Date.now();
    const [figures] = await Promise.all([intake.next<IntakeFigures>(), send(broker, count, perSecond)]);
    return { ...figures, offeredAt };
  };

  const view = await mkdtemp(join(tmpdir(), 'isthmus-bench-view-'));
  try {
    const seconds = options.warmSeconds + options.offeredSeconds;
    const steady = await offer(offeredPerSecond * seconds, offeredPerSecond, {
      root: view,
      warmMs: options.warmSeconds * 1_000,
    });
    say(`steady: ${tell(steady)}; to index ${told(steady.toIndexMs)}, to stub ${told(steady.toStubMs)}`);
    const fast = await drain<IntakeFigures>('intake', events, {});
    say(`as fast as it goes: ${tell(fast)}, ${rateOf({ events, seconds: fast.seconds })}/s`);
    const flood = await offer(burst);
    const burstSeconds = (flood.endedAt - flood.offeredAt) / 1_000;
    say(`burst: ${burstSeconds.toFixed(1)} s, ${tell(flood)}`);
    const isQueue = options.from === 'service-bus';
    const receiveOnly = await (isQueue
      ? drain<ReceiveOnly>('receive-only', options.receiveOnly, { receivers: RECEIVERS, hold: HOLD })
      : drain<ReceiveOnly>('read-only', options.receiveOnly, { batch: EVENT_BATCH }));
    say(`receive only: ${rateOf(receiveOnly)}/s, ${receiveOnly.cpuSeconds.toFixed(1)} s of processor`);
    const perSecond = rateOf({ events, seconds: fast.seconds });
    const toOf = (baseline: number) => Math.round((100 * perSecond) / baseline) / 100;
    const oneByOne = isQueue ? rateOf(await drain<Timed>('one-by-one', options.oneByOne, {})) : undefined;
    if (oneByOne !== undefined) say(`one by one: ${oneByOne}/s`);
    const figures: TriggersBenchmark = {
      bench: 'triggers',
      from: options.from,
      events,
      seconds: Math.round(fast.seconds * 100) / 100,
      perSecond,
      offeredPerSecond,
      toIndexMs: steady.toIndexMs,
      toStubMs: steady.toStubMs,
      peakRssMiB: fast.peakRssMiB,
      burst: { events: burst, seconds: Math.round(burstSeconds * 100) / 100, peakRssMiB: flood.peakRssMiB },
      cpuMicrosPerEvent: Math.round((fast.cpuSeconds * 1e6) / events),
      baselines: {
        receiveOnlyPerSecond: rateOf(receiveOnly),
        ...(oneByOne === undefined ? {} : { oneByOnePerSecond: oneByOne }),
      },
      ratios: {
        toReceiveOnly: toOf(rateOf(receiveOnly)),
        ...(oneByOne === undefined ? {} : { toOneByOne: toOf(oneByOne) }),
      },
    };
    return figures;
  } finally {
    await rm(view, { recursive: true, force: true });
  }
}

interface Broker {
  readonly connectionString: string;
}

function rateOf({ events, seconds }: Timed): number {
  return Math.round(events / seconds);
}

function tell({ messages, applied, peakRssMiB, cpuSeconds }: IntakeFigures): string {
  return `${messages} messages, ${applied} applied, ${cpuSeconds.toFixed(1)} s of processor, at most ${peakRssMiB} MiB`;
}

function told({ p50, p99 }: Percentiles): string {
  return `p50 ${p50} ms, p99 ${p99} ms`;
}
