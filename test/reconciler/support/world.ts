import { pino } from 'pino';
import { compileRules } from '../../../namespace/authority.ts';
import { DEFAULT_MARGIN } from '../../../namespace/decision.ts';
import { compareKeys, formatKey, type Key } from '../../../namespace/key.ts';
import type { DeleteStop, Rule } from '../../../namespace/rule.ts';
import { finishReconcileRun } from '../../../reconciler/finish.ts';
import { judgeRun } from '../../../reconciler/judge/judge-run.ts';
import type { Judging } from '../../../reconciler/judging.ts';
import { decide } from '../../../reconciler/plan/decide.ts';
import { prepareRun } from '../../../reconciler/prepare.ts';
import { stageRun } from '../../../reconciler/stage.ts';
import { messageOf } from '../../../schema/errors.ts';
import { ensureAccount } from '../../../schema/index/accounts.ts';
import { applyLooks } from '../../../schema/index/apply-answers.ts';
import { liveRules, publishRules } from '../../../schema/index/authority-revisions.ts';
import { noteContainerGone } from '../../../schema/index/containers.ts';
import type { Index } from '../../../schema/index/database.ts';
import { claimLooks, postponeLook } from '../../../schema/index/looks.ts';
import { type EntryRow, listEntries } from '../../../schema/index/queries.ts';
import type { RunDecision } from '../../../schema/index/runs.ts';
import { transact } from '../../../schema/index/transact.ts';
import type { ReconcileInput, ReconcileSummary } from '../../../schema/inputs/activities.ts';
import { FakeBlobs } from './fake-blobs.ts';

export const EVERYTHING: Rule = { prefix: '', authority: 'blob', sink: 'vast' };
export const NEVER = new AbortController().signal;
const HOUR = 3_600_000;
const RECONCILE: Judging['federation']['reconcile'] = {
  ...{ stop: { percent: 10, names: 100 }, looksPerSecond: 1_000, looksPerRun: 10_000 },
  ...{ sinksEveryHours: 24, driftLimit: 1_000 },
};

/** An account in memory, an index of it, and what judges between them. */
export interface World {
  readonly judging: Judging;
  readonly blobs: FakeBlobs;
  readonly index: Index;
  /** A whole reconcile; looks are answered before it is finished. */
  reconcile(input?: Partial<ReconcileInput>, stop?: DeleteStop, decision?: RunDecision): Promise<ReconcileSummary>;
  /** A run that is begun, from where it is to its end; where it waits for a person, this is decided. */
  drive(runId: number, stop?: DeleteStop, decision?: RunDecision): Promise<ReconcileSummary>;
  /** Answers every look that can be had; the others stay. */
  answerLooks(): Promise<number>;
  live(prefix?: string): Promise<readonly EntryRow[]>;
  names(prefix?: string): Promise<readonly string[]>;
  horizon(): Promise<number | null>;
}

/** Time stands in the past, an hour before the server's, so that nothing depends on when the test runs. */
export async function makeWorld(index: Index, rules: readonly Rule[] = [EVERYTHING], name = 'account'): Promise<World> {
  const account = await ensureAccount(index, name);
  await publishRules(index, account.id, rules, 'test');
  const blobs = new FakeBlobs(Math.floor(Date.now() / 1000) * 1000 - HOUR, name);
  const readRules = async () => {
    const set = (await liveRules(index.db, account.id)) ?? { revision: 0, rules: [] };
    return { index: compileRules(set), revision: set.revision };
  };
  const judging: Judging = {
    federation: { sources: { inventory: { container: 'inventory', everyHours: 24 } }, reconcile: RECONCILE },
    account,
    index,
    blobs,
    rules: readRules,
    rulesAreStale() {},
    clock: { now: () => blobs.time, sleep: async () => blobs.later(1_000) },
    log: pino({ level: 'silent' }),
  };

  const answer = async (key: Key, entryRevision: number) => {
    const result = await blobs.look(key).catch(async (error: unknown) => {
      await postponeLook(index, account.id, { key, inMs: HOUR, error: messageOf(error) });
    });
    if (result === undefined) return false;
    const rulesNow = await readRules();
    await transact(index, async (tx) => {
      if (result.kind === 'container-gone') await noteContainerGone(tx, account.id, key.container, result.time);
      await applyLooks(tx, {
        account,
        rules: rulesNow.index,
        ruleRevision: rulesNow.revision,
        policy: { margin: DEFAULT_MARGIN, looks: true },
        answers: [
          {
            ...{ kind: 'look', container: key.container, name: key.name, eventId: 'test' },
            ...{ entryRevision, time: result.time, found: result.kind === 'found' ? result.attributes : undefined },
          },
        ],
      });
    });
    return true;
  };
  const answerLooks = async () => {
    let answered = 0;
    for (let round = 0; round < 100; round++) {
      const claimed = await claimLooks(index, account.id, 100, 0);
      if (claimed.length === 0) break;
      for (const { key, entryRevision } of claimed.toSorted((a, b) => compareKeys(a.key, b.key))) {
        if (await answer(key, entryRevision)) answered++;
      }
    }
    return answered;
  };
  const live = (prefix = '') => listEntries(index.db, account.id, { prefix, limit: 10_000 });
  return {
    judging,
    blobs,
    index,
    answerLooks,
    drive: (runId, stop, decision) => driveRun(judging, answerLooks, runId, stop, decision),
    live,
    names: async (prefix) => (await live(prefix)).map(formatKey),
    async reconcile(input, stop, decision) {
      const { runId } = await prepareRun(judging, { judge: 'auto', ...input }, NEVER);
      return driveRun(judging, answerLooks, runId, stop, decision);
    },
    async horizon() {
      const row = await index.db
        .selectFrom('accounts')
        .select('horizon')
        .where('id', '=', account.id)
        .executeTakeFirst();
      return row?.horizon ?? null;
    },
  };
}

/** Takes a run from where it is to its end; where it waits for a person, this is decided. */
export async function driveRun(
  judging: Judging,
  answerLooks: () => Promise<unknown>,
  runId: number,
  stop: DeleteStop = RECONCILE.stop,
  decision: RunDecision = 'rejected',
): Promise<ReconcileSummary> {
  const { federation } = judging;
  const stopped: Judging = { ...judging, federation: { ...federation, reconcile: { ...federation.reconcile, stop } } };
  await stageRun(stopped, runId, NEVER);
  const { state } = await judgeRun(stopped, runId, NEVER);
  if (state.phase === 'approve') {
    await decide(stopped, runId, { decision, who: 'test', reason: 'a test' });
    await judgeRun(stopped, runId, NEVER);
  }
  await answerLooks();
  return finishReconcileRun(stopped, runId, { mostMs: 60_000, pollMs: 1 }, NEVER);
}
