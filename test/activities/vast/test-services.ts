import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { Metrics } from '../../../activities/observability/metrics.ts';
import type { Services } from '../../../activities/services.ts';
import { type DispatcherOptions, StubDispatcher } from '../../../activities/vast/dispatch/stub-dispatcher.ts';
import { indexedTasks, type StubTasks } from '../../../activities/vast/dispatch/stub-tasks.ts';
import { compileRules } from '../../../namespace/authority.ts';
import type { BlobEvent } from '../../../namespace/change.ts';
import { DEFAULT_MARGIN } from '../../../namespace/decision.ts';
import { compareUtf8, formatKey, parseKey } from '../../../namespace/key.ts';
import { parseSequencer } from '../../../namespace/sequencer.ts';
import { assert } from '../../../schema/errors.ts';
import { ensureAccount } from '../../../schema/index/accounts.ts';
import { applyEvents } from '../../../schema/index/apply-events.ts';
import { publishRules } from '../../../schema/index/authority-revisions.ts';
import type { Index } from '../../../schema/index/database.ts';
import { explainEntry, listEntries } from '../../../schema/index/queries.ts';
import { countStubs } from '../../../schema/index/stubs.ts';
import { transact } from '../../../schema/index/transact.ts';
import type { BlobSource } from '../../../schema/ports/blob-source.ts';
import type { Sink } from '../../../schema/ports/sink.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { testIndex } from '../../support/postgres.ts';

const T0 = Date.now() - 60_000;

export interface TestServices extends AsyncDisposable {
  readonly services: Services;
  readonly tasks: StubTasks;
  dispatcherOptions(): DispatcherOptions;
  /** Applies a put of each key, newer than all before; `overrides` are attributes. */
  put(keys: readonly string[], round: number, overrides?: Partial<BlobEvent['attributes'] & object>): Promise<void>;
  delete(keys: readonly string[], round: number): Promise<void>;
  /** Dispatches until nothing is due. */
  drain(): Promise<void>;
  /** `key etag` of every file that the sink should show. */
  expected(): Promise<readonly string[]>;
  stubState(key: string): Promise<string | undefined>;
}

/**
 * An index of its own with one rule for everything, the sink `vast`, and what activities need of the rest.
 *
 * @param shared an index that others use too, each with an account of its own.
 */
export async function testServices(
  sink: Sink,
  blobs?: Partial<BlobSource>,
  shared?: { readonly index: Index; readonly account: string },
): Promise<TestServices> {
  const db = shared === undefined ? await testIndex() : undefined;
  const index = shared?.index ?? db?.index;
  assert(index, 'there is no index');
  const account = await ensureAccount(index, shared?.account ?? 'lakeaccount');
  const set = await publishRules(index, account.id, [{ prefix: '', authority: 'blob', sink: 'vast' }], 'test');
  const rules = compileRules(set);
  const services = {
    account,
    federation: { account: { hierarchical: true } },
    index,
    blobs,
    sinks: new Map([['vast', sink]]),
    rules: () => Promise.resolve({ index: rules, revision: set.revision }),
    rulesAreStale: () => {},
    clock: {
      now: () => Date.now(),
      sleep: (ms: number, signal?: AbortSignal) => sleep(ms, undefined, { signal }),
    },
    log: pino({ level: 'silent' }),
    metrics: new Metrics(),
    random: Math.random,
  } as unknown as Services;
  let sequence = 0;
  const apply = (events: readonly BlobEvent[]) =>
    transact(index, (tx) =>
      applyEvents(tx, {
        account,
        rules,
        ruleRevision: set.revision,
        policy: { margin: DEFAULT_MARGIN, looks: true },
        events,
      }),
    );
  const event = (text: string, attributes: BlobEvent['attributes']): BlobEvent => ({
    ...parseKey(text),
    kind: 'event',
    source: 'trigger',
    effect: attributes === undefined ? 'delete' : 'put',
    attributes,
    sequencer: parseSequencer((++sequence).toString(16)),
    epoch: undefined,
    time: T0 + sequence,
    eventId: `event-${sequence}`,
    api: attributes === undefined ? 'DeleteBlob' : 'PutBlob',
  });
  const tasks = indexedTasks(services, 'vast');
  const dispatcherOptions = () => ({ sink, tasks, clock: services.clock, random: Math.random });
  const test: TestServices = {
    services,
    tasks,
    dispatcherOptions,
    async put(keys, round, overrides) {
      await apply(
        keys.map((key) => event(key, { etag: `0x${round}`, length: 10, blobType: 'BlockBlob', ...overrides })),
      );
    },
    async delete(keys) {
      await apply(keys.map((key) => event(key, undefined)));
    },
    async drain() {
      for (const until = Date.now() + PATIENCE_MS; Date.now() < until; ) {
        await new StubDispatcher(dispatcherOptions()).run(Date.now() + 300, new AbortController().signal);
        if ((await countStubs(index.db, account.id)).length === 0) return;
      }
      throw new Error('stubs stay due');
    },
    async expected() {
      const rows = await listEntries(index.db, account.id, { prefix: '', limit: 10_000 });
      const names = rows.map(formatKey);
      return rows
        .filter((row) => !names.some((name) => name.startsWith(`${formatKey(row)}/`)))
        .map((row) => `${formatKey(row)} ${row.attributes?.etag}`)
        .sort(compareUtf8);
    },
    async stubState(key) {
      return (await explainEntry(index.db, account.id, parseKey(key)))?.stub.state;
    },
    [Symbol.asyncDispose]: async () => await db?.[Symbol.asyncDispose](),
  };
  return test;
}
