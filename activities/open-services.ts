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
import type { Sink } from '../schema/ports/sink.ts';
import { AzureFeedStore } from './azure/azure-feed-store.ts';
import { blobService } from './azure/blob-service.ts';
import { AzureBlobSource } from './azure/blob-source.ts';
import { serviceBusClient } from './azure/service-bus-client.ts';
import { ServiceBusQueue } from './azure/service-bus-queue.ts';
import type { Metrics } from './observability/metrics.ts';
import type { Services } from './services.ts';
import { FileViewSink } from './vast/file-view/file-view-sink.ts';

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
    feed: new AzureFeedStore(service, { onRetry: (cause) => metrics.feedRetry(cause) }),
    openTriggers: () => openTriggers(federation),
    sinks: openSinks(federation),
    ...ruleCache(index, account),
    requestReconcile: (input) => options.requestReconcile(input),
    clock: systemClock,
    random: Math.random,
  };
}

/** Nothing is written before a sink's first use, which probes it. */
export function openSinks(federation: Federation): ReadonlyMap<string, Sink> {
  const sinks = Object.entries(federation.sinks);
  return new Map(sinks.map(([name, { root }]) => [name, new FileViewSink({ root })]));
}

/** @throws IsthmusError `ISTHMUS_CONFIG` where the federation has no queue. */
export function openTriggers({ sources, name }: Federation): ServiceBusQueue {
  const bus = sources.serviceBus;
  if (bus === undefined) {
    throw new IsthmusError(
      'ISTHMUS_CONFIG',
      `Federation ${name} has no sources.serviceBus, so it has no triggers to take.`,
    );
  }
  return new ServiceBusQueue(serviceBusClient(bus), { queue: bus.queue });
}

/** The live rules, read at most once a second; whoever finds them stale has them read anew. */
function ruleCache(index: Index, account: Account): RulesInUse {
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
