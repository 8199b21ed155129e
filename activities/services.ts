import type { Logger } from 'pino';
import type { Federation } from '../schema/federation/federation.ts';
import type { Account } from '../schema/index/accounts.ts';
import type { Index } from '../schema/index/database.ts';
import type { RulesInUse } from '../schema/index/live-rules.ts';
import type { ReconcileInput } from '../schema/inputs/activities.ts';
import type { BlobSource } from '../schema/ports/blob-source.ts';
import type { CanaryBlob } from '../schema/ports/canary-blob.ts';
import type { Clock } from '../schema/ports/clock.ts';
import type { FeedStore } from '../schema/ports/feed-store.ts';
import type { Sink } from '../schema/ports/sink.ts';
import type { TriggerQueue } from '../schema/ports/trigger-queue.ts';
import type { Metrics } from './observability/metrics.ts';

/** What activities reach the world through. Built once in a process, and closed by whoever built it. */
export interface Services extends RulesInUse {
  readonly federation: Federation;
  readonly account: Account;
  readonly index: Index;
  readonly blobs: BlobSource;
  readonly canary: CanaryBlob;
  readonly feed: FeedStore;
  /** A new receiver of Service Bus; whoever opens it closes it. */
  openTriggers(): TriggerQueue;
  /** A new reader of the event hub, likewise. */
  openEventHubs(): TriggerQueue;
  readonly sinks: ReadonlyMap<string, Sink>;
  /** Asks for a reconcile after the one that runs, if any; returns once Temporal has taken the wish. */
  requestReconcile(input: ReconcileInput): Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** From 0 up to 1. */
  random(): number;
}
