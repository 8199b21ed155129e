import { sql } from 'kysely';
import { afterAll, beforeAll } from 'vitest';
import { StubDispatcher } from '../../../activities/vast/dispatch/stub-dispatcher.ts';
import { compareUtf8, formatKey } from '../../../namespace/key.ts';
import type { DeleteStop } from '../../../namespace/rule.ts';
import { judgeSink, prepareSinkRun } from '../../../reconciler/sink/judge-sink.ts';
import type { JudgedSink, SinkJudging } from '../../../reconciler/sink/sink-judging.ts';
import { applyLooks } from '../../../schema/index/apply-answers.ts';
import type { Index } from '../../../schema/index/database.ts';
import { type Finding, readFindings } from '../../../schema/index/findings.ts';
import { claimLooks } from '../../../schema/index/looks.ts';
import { transact } from '../../../schema/index/transact.ts';
import type { JudgeSinkSummary } from '../../../schema/inputs/judge-sink.ts';
import { filesOf } from '../../activities/vast/sink-contract.ts';
import { type TestServices, testServices } from '../../activities/vast/test-services.ts';
import { type TestView, testView } from '../../activities/vast/view-folder.ts';
import { type TestIndex, testIndex } from '../../support/postgres.ts';
import { fewPartitions } from '../support/few-partitions.ts';

const NEVER = new AbortController().signal;
const AGO = 120_000;

export interface SinkWorld extends AsyncDisposable {
  readonly view: TestView;
  readonly test: TestServices;
  readonly judging: SinkJudging;
  readonly judged: JudgedSink;
  /** Dispatches until nothing is due, and lets it all have happened a while ago. */
  settle(): Promise<void>;
  /** Starts a run; its id. */
  prepare(options?: { readonly approved?: boolean }): Promise<number>;
  /** Does a run; whatever waits in it lets dispatcher and looks work. `with` takes the place of what it judges by. */
  judge(options?: {
    readonly approved?: boolean;
    readonly runId?: number;
    readonly with?: Partial<SinkJudging & JudgedSink>;
  }): Promise<JudgeSinkSummary>;
  findings(runId: number): Promise<readonly Finding[]>;
  /** `key cause state` of each finding, in key order. */
  told(runId: number): Promise<readonly string[]>;
  /** Whether the view shows what the index says and nothing else of Isthmus's. */
  shown(): Promise<{ readonly is: readonly string[]; readonly must: readonly string[] }>;
}

/** One index for the tests of a file, with an account for each: what makes a world then takes milliseconds. */
export function sinkWorlds(): (stop?: DeleteStop) => Promise<SinkWorld> {
  let db: TestIndex | undefined;
  let made = 0;
  beforeAll(async () => {
    db = await testIndex();
    await fewPartitions(db.index);
  });
  afterAll(() => db?.[Symbol.asyncDispose]());
  return async (stop = { percent: 1, names: 1_000 }) => {
    if (db === undefined) throw new Error('a world is made in a test');
    return await sinkWorld(db.index, `account${++made}`, stop);
  };
}

/** A view in a folder, an account with the sink `vast`, a dispatcher between them, and who judges them. Every blob that is looked at is gone. */
async function sinkWorld(shared: Index, name: string, stop: DeleteStop): Promise<SinkWorld> {
  const view = await testView();
  const test = await testServices(view.sink, undefined, { index: shared, account: name });
  const { index, account } = test.services;
  await index.db.updateTable('accounts').set({ horizon: 1 }).where('id', '=', account.id).execute();
  let later = 0;
  const judging: SinkJudging = {
    ...test.services,
    federation: { reconcile: { stop } },
    clock: {
      now: () => Date.now() + later,
      async sleep(ms) {
        await answerLooks(test);
        await new StubDispatcher(test.dispatcherOptions()).run(Date.now() + 50, NEVER);
        later += ms;
      },
    },
  };
  const judged: JudgedSink = { name: 'vast', sink: view.sink };
  let wishes = 0;
  const prepare: SinkWorld['prepare'] = ({ approved = false } = {}) =>
    prepareSinkRun(judging, 'vast', { wish: `wish ${wishes++}`, approved });
  const findings = (runId: number) => readFindings(index.db, runId, { limit: 10_000 });
  return {
    view,
    test,
    judging,
    judged,
    async settle() {
      await test.drain();
      await sql`update entries set changed_at = changed_at - ${AGO}::bigint where account_id = ${account.id}`.execute(
        index.db,
      );
    },
    prepare,
    async judge({ runId, with: other, ...options } = {}) {
      const waiting = { mostMs: 60_000, pollMs: 1_000 };
      const run = runId ?? (await prepare(options));
      return await judgeSink({ ...judging, ...other }, { ...judged, ...other }, run, waiting, NEVER);
    },
    findings,
    told: async (runId) =>
      (await findings(runId)).map((each) => `${formatKey(each)} ${each.cause} ${each.state}`).toSorted(compareUtf8),
    async shown() {
      const files = (await filesOf(view.sink)).filter(({ state }) => state !== 'foreign');
      return { is: files.map((file) => `${formatKey(file.key)} ${file.etag}`), must: await test.expected() };
    },
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]();
      await view[Symbol.asyncDispose]();
    },
  };

  async function answerLooks({ services }: TestServices): Promise<void> {
    const { index: rules, revision } = await services.rules();
    const claimed = await claimLooks(index, account.id, 1_000, 60_000);
    if (claimed.length === 0) return;
    await transact(index, (tx) =>
      applyLooks(tx, {
        account,
        rules,
        ruleRevision: revision,
        policy: { margin: account.margin, looks: true },
        answers: claimed.map(({ key, entryRevision }) => ({
          ...{ kind: 'look', ...key, eventId: 'test', entryRevision, time: Date.now(), found: undefined },
        })),
      }),
    );
  }
}

/** A dispatcher that works beside whatever else is done, until it is disposed of. */
export function dispatching({ test }: SinkWorld): AsyncDisposable {
  const over = new AbortController();
  const running = new StubDispatcher(test.dispatcherOptions()).run(Date.now() + 60_000, over.signal).catch(() => {});
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      await running;
    },
  };
}
