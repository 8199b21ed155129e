import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { compileRules } from '../namespace/authority.ts';
import { assert, IsthmusError } from '../schema/errors.ts';
import type { Federation } from '../schema/federation/federation.ts';
import type { Account } from '../schema/index/accounts.ts';
import { liveRules } from '../schema/index/authority-revisions.ts';
import type { Index } from '../schema/index/database.ts';
import type { LiveRules, RulesInUse } from '../schema/index/live-rules.ts';
import type { ReconcileInput } from '../schema/inputs/activities.ts';
import type { Clock } from '../schema/ports/clock.ts';
import type { DeadLetterQueue } from '../schema/ports/dead-letter-queue.ts';
import type { Sink } from '../schema/ports/sink.ts';
import { AzureCanary } from './azure/azure-canary.ts';
import { AzureFeedStore } from './azure/azure-feed-store.ts';
import { blobService } from './azure/blob-service.ts';
import { AzureBlobSource } from './azure/blob-source.ts';
import type { StrangeOne } from './azure/event-hubs-places.ts';
import { EventHubsQueue, type EventHubsQueueOptions } from './azure/event-hubs-queue.ts';
import type { Removed } from './azure/event-hubs-tail.ts';
import { serviceBusClient } from './azure/service-bus-client.ts';
import { ServiceBusDeadLetters } from './azure/service-bus-dead-letters.ts';
import { ServiceBusQueue } from './azure/service-bus-queue.ts';
import type { Metrics } from './observability/metrics.ts';
import type { Services } from './services.ts';
import { FileViewSink } from './vast/file-view/file-view-sink.ts';
import { knownView } from './vast/known-view.ts';

export interface OpenServicesOptions {
  readonly federation: Federation;
  /** Closed by whoever opened it. */
  readonly index: Index;
  readonly account: Account;
  readonly log: Logger;
  readonly metrics: Metrics;
  requestReconcile(input: ReconcileInput): Promise<void>;
}

const RULES_FOR_MS = 1_000;

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, { signal });
  },
};

/** Builds what a federation's activities reach the world through. Nothing is sent before the first use. */
export function openServices(options: OpenServicesOptions): Services {
  const { federation, index, account, log, metrics } = options;
  const service = blobService(federation.account);
  return {
    federation,
    account,
    index,
    log,
    metrics,
    blobs: new AzureBlobSource(service, federation.account),
    canary: new AzureCanary(service),
    feed: new AzureFeedStore(service, { onRetry: (cause) => metrics.feedRetry(cause) }),
    openTriggers: () => openTriggers(federation, (count) => metrics.triggerLocksLost(count)),
    openEventHubs: () =>
      openEventHubs(federation, index, account.id, {
        onRemoved: (removed) => tellRemoved(options, removed),
        onMadeAnew: (place) => tellMadeAnew(options, place),
        // Where there is a feed, that brings what the events told.
        ...(federation.sources.changeFeed === undefined
          ? { heal: () => options.requestReconcile({ judge: 'listing' }) }
          : {}),
      }),
    sinks: openSinks(federation, { index, account }),
    ...ruleCache(index, account),
    requestReconcile: (input) => options.requestReconcile(input),
    clock: systemClock,
    random: Math.random,
  };
}

/** Nothing is written before a sink's first use, which probes it. @param known which view each has. */
export function openSinks(
  federation: Federation,
  known: { readonly index: Index; readonly account: Account },
): ReadonlyMap<string, Sink> {
  const sinks = Object.entries(federation.sinks);
  return new Map(sinks.map(([name, { root }]) => [name, new FileViewSink({ root, identity: knownView(known, name) })]));
}

/**
 * @param onLost told of messages whose locks ended before they were settled.
 * @throws IsthmusError `ISTHMUS_CONFIG` where the federation has no queue.
 */
export function openTriggers({ sources, name }: Federation, onLost?: (count: number) => void): ServiceBusQueue {
  const bus = sources.serviceBus;
  if (bus === undefined) {
    throw new IsthmusError(
      'ISTHMUS_CONFIG',
      `Federation ${name} has no sources.serviceBus, so it has no triggers to take.`,
    );
  }
  return new ServiceBusQueue(serviceBusClient(bus), { queue: bus.queue, onLost });
}

/** The dead letters of the federation's queue; undefined where it has none. */
export function openDeadLetterQueue({ sources }: Federation): DeadLetterQueue | undefined {
  const bus = sources.serviceBus;
  return bus === undefined ? undefined : new ServiceBusDeadLetters(serviceBusClient(bus), bus.queue);
}

/**
 * @param told of events that were gone before they were read.
 * @throws IsthmusError `ISTHMUS_CONFIG` where the federation has no event hub.
 */
export function openEventHubs(
  { sources, name }: Federation,
  index: Index,
  accountId: number,
  told: Pick<EventHubsQueueOptions, 'onRemoved' | 'onMadeAnew' | 'heal'> = {},
): EventHubsQueue {
  const source = sources.eventHubs;
  if (source === undefined) {
    throw new IsthmusError(
      'ISTHMUS_CONFIG',
      `Federation ${name} has no sources.eventHubs, so it has no event hub to read.`,
    );
  }
  return new EventHubsQueue({ source, index, accountId, ...told });
}

/** Events that nobody read in time: the feed brings what they told, and without a feed a listing does. */
function tellRemoved({ federation, log, metrics }: OpenServicesOptions, removed: Removed): void {
  const { partition, from, to } = removed;
  const hub = federation.sources.eventHubs?.eventHub;
  const healing = healingOf(federation);
  metrics.hubEventsRemoved(to - from + 1);
  log.error(
    { hub, ...removed },
    `Alarm: ${to - from + 1} events of partition ${partition} of event hub ${hub} were removed by retention before they were read; ${healing} brings what they told`,
  );
}

/** What nobody had read of the hub that was there before is gone; nobody can tell how much that was. */
function tellMadeAnew({ federation, log, metrics }: OpenServicesOptions, strange: StrangeOne): void {
  const hub = federation.sources.eventHubs?.eventHub;
  metrics.hubMadeAnew();
  log.error(
    { hub, ...strange },
    `Alarm: event hub ${hub} was made anew under its name; partition ${strange.partition} is read from its oldest event, and what the old one held unread is gone; ${healingOf(federation)} brings what it told`,
  );
}

function healingOf({ sources }: Federation): string {
  return sources.changeFeed === undefined ? 'a listing of everything' : 'the feed';
}

/** The live rules, read at most once a second; whoever finds them stale has them read anew. */
export function ruleCache(index: Index, account: Account): RulesInUse {
  let kept: { readonly until: number; readonly rules: Promise<LiveRules> } | undefined;
  const read = async (): Promise<LiveRules> => {
    const set = await liveRules(index.db, account.id);
    assert(set, `account ${account.name} has no rules: a worker publishes them before it starts`);
    return { index: compileRules(set), revision: set.revision };
  };
  return {
    rules() {
      if (kept === undefined || kept.until < performance.now()) {
        const rules = read();
        kept = { until: performance.now() + RULES_FOR_MS, rules };
        rules.catch(() => {
          kept = undefined;
        });
      }
      return kept.rules;
    },
    rulesAreStale() {
      kept = undefined;
    },
  };
}
