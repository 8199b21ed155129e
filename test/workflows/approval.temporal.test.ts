import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestReconcile } from '../../cli/worker/request-reconcile.ts';
import type { Activities, ReconcileInput, ReconcileSummary } from '../../schema/inputs/activities.ts';
import { PAUSE, PROGRESS, type Progress, RESUME } from '../../schema/inputs/control.ts';
import { taskQueueOf, workflowIds } from '../../schema/inputs/names.ts';
import { DECIDE, type DecideRequest, type Decision, type ReconcilePlan } from '../../schema/inputs/reconcile.ts';
import { ASK, type Asked, type ReconcileWish } from '../../schema/inputs/wish.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { standing, type TestWorkflows, testWorkflows } from './harness.ts';

let workflows: TestWorkflows;
beforeAll(async () => {
  workflows = await testWorkflows();
});
afterAll(() => workflows[Symbol.asyncDispose]());

const NOTHING = { listed: 0, agreed: 0, filled: 0, applied: 0, looks: 0, missing: 0 };
const EVERYTHING: ReconcileInput = { judge: 'listing' };
const FOLDER: ReconcileInput = { judge: 'listing', prefix: 'lake/a/' };

function planOfRun(runId: number): ReconcilePlan {
  return {
    ...{ runId, judge: 'listing', scope: '', waitingSince: Date.UTC(2026, 10, 22), live: 4000 },
    tripped: ['it lacks 1200 of 4000 live names'],
    ...{ creates: 3, updates: 2, deletes: 1200 },
    prefixes: [{ prefix: 'lake/`a|b`\n/', names: 1200, examples: ['lake/`a|b`\n/<img>'] }],
    elsewhere: 0,
  };
}

/** A ledger of runs in memory: whatever judges everything has to be approved. */
class Runs {
  readonly done: string[] = [];
  readonly decisions = new Map<number, Decision>();
  readonly scopes: string[] = [];
  /** Where somebody else has decided meanwhile. */
  isLate = false;

  readonly steps: Partial<Activities> = {
    standingReconciles: async () => {
      const runs = [...this.scopes.keys()].filter(
        (at) => this.scopes[at] === '' && !this.done.includes(`end ${at + 1}`),
      );
      return {
        runs: runs.map((at) => ({ runId: at + 1, ...(this.decisions.has(at + 1) ? {} : { plan: planOfRun(at + 1) }) })),
      };
    },
    prepareReconcile: async ({ prefix = '' }) => {
      const runId = this.scopes.push(prefix);
      return { runId, judge: 'listing' };
    },
    stageReconcile: async () => ({ staged: 10 }),
    judgeReconcile: async ({ runId }) => {
      const waits = this.scopes[runId - 1] === '' && !this.decisions.has(runId);
      this.done.push(`${waits ? 'plan' : 'judge'} ${runId}`);
      return waits ? { looks: 0, plan: planOfRun(runId) } : { looks: 1 };
    },
    decideReconcile: async ({ run, decision }) => {
      this.decisions.set(run, decision);
      return { decided: this.isLate ? 'late' : 'decided' };
    },
    finishReconcile: async ({ runId }) => {
      this.done.push(`end ${runId}`);
      const outcome = this.decisions.get(runId) === 'rejected' ? 'guarded' : 'complete';
      return { ...NOTHING, runId, judge: 'listing', outcome, report: [`Run ${runId}: ${outcome}.`] };
    },
    undoReconcile: async ({ runId }) => {
      this.done.push(`undo ${runId}`);
      return { runId, looked: 2, restored: 1, gone: 1, unanswered: 0, goneNames: ['lake/gone'] };
    },
  };
}

interface Account extends AsyncDisposable {
  readonly handle: WorkflowHandle<() => Promise<ReconcileSummary>>;
  wish(wish: ReconcileInput): Promise<void>;
  ask(wish: ReconcileWish): Promise<Asked>;
  decide(request: Partial<DecideRequest>): Promise<Progress>;
  until(state: Progress['state']): Promise<Progress>;
  details(): Promise<string>;
}

async function account(activities: Partial<Activities>, on = workflows): Promise<Account> {
  const name = randomUUID().slice(0, 8);
  const federation = { name: `f${name}`, account: { name, marginSeconds: 20, hierarchical: false } };
  const worker = await on.work(taskQueueOf(federation.name), activities);
  const { client } = on.temporal;
  const handle = client.workflow.getHandle<() => Promise<ReconcileSummary>>(workflowIds.reconcile(name));
  const progress = () => handle.query<Progress>(PROGRESS);
  return {
    handle,
    wish: (wish) => requestReconcile(client, federation, wish),
    ask: (wish) => handle.executeUpdate<Asked, [ReconcileWish]>(ASK, { args: [wish] }),
    decide: (request) => handle.executeUpdate<Progress, [Partial<DecideRequest>]>(DECIDE, { args: [request] }),
    until: async (state) => {
      let seen = await progress();
      for (const end = Date.now() + PATIENCE_MS; seen.state !== state && Date.now() < end; seen = await progress()) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(seen.state).toBe(state);
      return seen;
    },
    details: async () => {
      const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
      return metadata.currentDetails ?? '';
    },
    [Symbol.asyncDispose]: async () => {
      await handle.terminate('the test is over').catch(() => undefined);
      await worker[Symbol.asyncDispose]();
    },
  };
}

const APPROVED = { decision: 'approved', who: 'ada' } as const;

describe('a run whose percent stop has tripped', () => {
  it('waits, shows its plan, and goes on when it is approved; meanwhile a prefix is judged, and everything is not', async () => {
    const runs = new Runs();
    await using one = await account(runs.steps);
    await one.wish(EVERYTHING);
    expect(await one.until('approval')).toMatchObject({ doing: 'run 1 waits for a decision' });
    const { typedSearchAttributes } = await one.handle.describe();
    expect(typedSearchAttributes.getAll().map(({ value }) => value)).toContain('approval');
    const details = await one.details();
    expect(details).toContain('#### Run 1 waits for a decision since 2026-11-22T00:00:00.000Z');
    expect(details).toContain('| 1,200 | ``lake/`a\\u007cb`\\u000a/`` |');
    expect(details).toContain('isthmus reconcile approve 1');

    expect(await one.ask(FOLDER)).toMatchObject({ kind: 'judged', summary: { runId: 2, outcome: 'complete' } });
    expect(await one.ask(EVERYTHING)).toEqual({ kind: 'approval', runId: 1 });
    expect(await one.ask({ undo: 7 })).toMatchObject({ kind: 'undone', summary: { restored: 1, gone: 1 } });
    await one.until('approval');
    expect(runs.done).toEqual(['plan 1', 'judge 2', 'end 2', 'undo 7']);

    await one.decide({ run: 1, ...APPROVED });
    // What was asked for meanwhile is done then, and waits in its turn.
    await expect.poll(() => runs.done.slice(4), { timeout: PATIENCE_MS }).toEqual(['judge 1', 'end 1', 'plan 3']);
    await one.decide({ run: 3, decision: 'rejected', who: 'ada', reason: 'no' });
    const result = await one.handle.result();
    expect(runs.done.slice(7)).toEqual(['judge 3', 'end 3']);
    expect(result).toMatchObject({ runId: 2, report: ['Run 2: complete.', 'Run 1: complete.', 'Run 3: guarded.'] });
  });

  it('is found again by a workflow that is started after the one that it was of had been ended, and may be decided by what starts it', async () => {
    const runs = new Runs();
    await using one = await account(runs.steps);
    await one.wish(EVERYTHING);
    await one.until('approval');
    await one.handle.terminate('somebody was curious');
    await one.wish(EVERYTHING);
    await one.until('approval');
    expect(runs.done).toEqual(['plan 1']);
    await one.handle.terminate('again');
    runs.decisions.set(1, 'approved');
    await one.wish(FOLDER);
    await one.handle.result();
    expect(runs.done).toEqual(['plan 1', 'judge 1', 'end 1', 'judge 2', 'end 2']);
  });

  it('stays parked over pause and resume, and is decided meanwhile', async () => {
    const runs = new Runs();
    await using one = await account(runs.steps);
    await one.wish(EVERYTHING);
    await one.until('approval');
    await one.handle.executeUpdate(PAUSE, { args: [{ reason: 'house move' }] });
    await one.until('paused');
    await one.handle.executeUpdate(RESUME);
    await one.until('approval');
    await one.handle.executeUpdate(PAUSE, { args: [{ reason: 'house move' }] });
    await one.decide({ run: 1, ...APPROVED });
    await one.until('paused');
    expect(runs.done).toEqual(['plan 1']);
    await one.handle.executeUpdate(RESUME);
    expect(await one.handle.result()).toMatchObject({ runId: 1, outcome: 'complete' });
  });

  it('refuses a decision of another run, of nobody, of no kind, and one that comes late', async () => {
    const runs = new Runs();
    await using one = await account(runs.steps);
    await one.wish(EVERYTHING);
    await one.until('approval');
    const refused = async (request: Record<string, unknown>, message: string) => {
      await expect(one.decide(request)).rejects.toMatchObject({
        cause: { message: expect.stringContaining(message), stack: '' },
      });
    };
    await refused({ run: 2, ...APPROVED }, 'Run 2 does not wait');
    await refused({ run: 1, decision: 'approved', who: ' ' }, '"who" is " "');
    await refused({ run: 1, decision: 'perhaps', who: 'ada' }, '"decision" is "perhaps"');
    expect(runs.decisions.size).toBe(0);
    runs.isLate = true;
    await refused({ run: 1, ...APPROVED }, 'Run 1 does not wait');
    expect(await one.handle.result()).toMatchObject({ runId: 1 });
  });

  it('is waited for run after run: history stays small however many prefixes are judged meanwhile', async () => {
    await using others = await testWorkflows(100);
    const runs = new Runs();
    await using one = await account(runs.steps, others);
    await one.wish(EVERYTHING);
    await one.until('approval');
    const began = (await one.handle.describe()).runId;
    for (let at = 0; at < 4; at++) expect(await one.ask(FOLDER)).toMatchObject({ kind: 'judged' });
    await expect.poll(async () => (await one.handle.describe()).runId).not.toBe(began);
    expect(await one.until('approval')).toMatchObject({ totals: { staged: 50 } });
    await one.decide({ run: 1, ...APPROVED });
    const { report } = await one.handle.result();
    expect([report?.[0], report?.at(-1)]).toEqual(['Run 2: complete.', 'Run 1: complete.']);
  });

  it('lets a workflow that is asked for nothing else, or for what nobody can be asked, end', async () => {
    const runs = new Runs();
    await using one = await account(runs.steps);
    await one.wish(FOLDER);
    await one.handle.result();
    await one.wish(EVERYTHING);
    await one.until('approval');
    await expect(one.ask({ judge: 'nobody' } as unknown as ReconcileWish)).rejects.toMatchObject({
      cause: { message: expect.stringContaining('"judge" is "nobody"') },
    });
    await one.decide({ run: 2, ...APPROVED });
    expect(await one.handle.result()).toMatchObject({ runId: 2 });
  });
});

describe('a run under way', () => {
  it('shows phase, rate, time left and findings by cause, and stops showing them when it ends', async () => {
    const runs = new Runs();
    const gate = Promise.withResolvers<void>();
    let glances = 0;
    await using one = await account({
      ...runs.steps,
      stageReconcile: async () => {
        await Promise.race([gate.promise, standing()]);
        return { staged: 10 };
      },
      reconcileProgress: async () => {
        glances += 1;
        if (glances === 1) throw new Error('the index is busy');
        const done = glances * 1_000;
        return { phase: 'staging', done, of: 100_000, unit: 'rows', causes: { 'missed-by-both': 1234 } };
      },
    });
    await one.wish(FOLDER);
    await expect
      .poll(() => one.details(), { timeout: PATIENCE_MS })
      .toMatch(/staging, 3,000 of 100,000 rows, \d+ rows\/s, about \d+ (s|min) left/);
    expect(await one.details()).toContain('| missed-by-both | 1,234 |');
    await one.handle.executeUpdate(PAUSE, { args: [{ reason: 'house move' }] });
    await one.until('paused');
    await one.handle.executeUpdate(RESUME);
    gate.resolve();
    await one.handle.result();
    expect(await one.details()).toContain('Run 1: complete.');
  });
});
