import { setTimeout as sleep } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { Metrics } from '../../activities/observability/metrics.ts';
import type { Services } from '../../activities/services.ts';
import { compileRules } from '../../namespace/authority.ts';
import { federationSchema } from '../../schema/federation/federation.ts';
import { ensureAccount } from '../../schema/index/accounts.ts';
import { publishRules } from '../../schema/index/authority-revisions.ts';
import type { Index } from '../../schema/index/database.ts';
import type { BlobSource } from '../../schema/ports/blob-source.ts';
import type { CanaryBlob } from '../../schema/ports/canary-blob.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';
import type { TriggerQueue } from '../../schema/ports/trigger-queue.ts';

const federation = federationSchema.parse({
  name: 'test',
  account: { name: 'lake' },
  sources: { changeFeed: { pollSeconds: 0.1 }, inventory: { container: 'inventory', rule: 'isthmus' } },
  sinks: { vast: { kind: 'fileView', root: '/nowhere' } },
  rules: [{ prefix: '', authority: 'blob', sink: 'vast' }],
});

/** What a test did not give: any use of it fails. */
function absent<T extends object>(name: string): T {
  return new Proxy({} as T, {
    get: () => {
      throw new Error(`the test gave no ${name}`);
    },
  });
}

/** Services on a test's index; every source that the activity under test needs is given by the test. */
export async function testServices(
  index: Index,
  given: Partial<Pick<Services, 'feed' | 'blobs' | 'canary' | 'clock' | 'rules' | 'requestReconcile'>> & {
    readonly queue?: TriggerQueue;
  },
): Promise<Services> {
  const account = await ensureAccount(index, federation.account.name);
  const { revision } = await publishRules(index, account.id, federation.rules, 'a test');
  const rules = { index: compileRules({ revision, rules: federation.rules }), revision };
  return {
    federation,
    account,
    index,
    blobs: given.blobs ?? absent<BlobSource>('blobs'),
    canary: given.canary ?? absent<CanaryBlob>('canary'),
    feed: given.feed ?? absent<FeedStore>('feed'),
    openTriggers: () => given.queue ?? absent<TriggerQueue>('queue'),
    openEventHubs: () => given.queue ?? absent<TriggerQueue>('queue'),
    sinks: new Map(),
    rules: given.rules ?? (async () => rules),
    rulesAreStale: () => {},
    requestReconcile: given.requestReconcile ?? (async () => {}),
    clock: given.clock ?? { now: Date.now, sleep: (ms, signal) => sleep(ms, undefined, { signal }) },
    log: pino({ level: 'silent' }),
    metrics: new Metrics(),
    random: () => 0.5,
  };
}

/** Runs an activity as a worker would; it is asked to stop once `cancelled` is settled. */
export function runActivity<T>(activity: () => Promise<T>, cancelled?: Promise<unknown>): Promise<T> {
  const environment = new MockActivityEnvironment();
  cancelled?.finally(() => environment.cancel('CANCELLED'));
  return environment.run(activity);
}
