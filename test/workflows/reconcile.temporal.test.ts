import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureSchedules } from '../../cli/worker/ensure-workflows.ts';
import { requestReconcile } from '../../cli/worker/request-reconcile.ts';
import { federationSchema } from '../../schema/federation/federation.ts';
import type { Activities, ReconcileInput, ReconcileSummary } from '../../schema/inputs/activities.ts';
import { taskQueueOf, workflowIds } from '../../schema/inputs/names.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { type TestWorkflows, testWorkflows } from './harness.ts';

let workflows: TestWorkflows;
beforeAll(async () => {
  workflows = await testWorkflows();
});
afterAll(() => workflows[Symbol.asyncDispose]());

/** The steps of runs that stand at their first step until they are let go on, and how many were ever under way at once. */
function gated() {
  const wishes: ReconcileInput[] = [];
  const summary = {
    judge: 'none',
    outcome: 'complete',
    listed: 0,
    agreed: 0,
    filled: 0,
    applied: 0,
    looks: 0,
    missing: 0,
  };
  const gate = Promise.withResolvers<void>();
  const seen = { wishes, underWay: 0, most: 0, open: gate.resolve };
  const steps: Partial<Activities> = {
    standingReconciles: async () => ({ runs: [] }),
    prepareReconcile: async (input) => {
      wishes.push(input);
      seen.underWay += 1;
      seen.most = Math.max(seen.most, seen.underWay);
      const runId = wishes.length;
      await gate.promise;
      if (input.manifest?.endsWith('/bad') === true) {
        seen.underWay -= 1;
        throw ApplicationFailure.create({ message: 'bad', nonRetryable: true, details: [{ consequence: 'give-up' }] });
      }
      return { runId, judge: 'listing' };
    },
    stageReconcile: async () => ({ staged: 0 }),
    judgeReconcile: async () => ({ looks: 0 }),
    finishReconcile: async ({ runId }) => {
      seen.underWay -= 1;
      return { ...summary, runId } as ReconcileSummary;
    },
  };
  return { seen, steps };
}

function makeFederation() {
  const name = randomUUID().slice(0, 8);
  return federationSchema.parse({
    name: `f${name}`,
    account: { name },
    sinks: { vast: { kind: 'fileView', root: '/nowhere' } },
    rules: [{ prefix: '', authority: 'blob', sink: 'vast' }],
  });
}

const manifest = (name: string): ReconcileInput => ({ judge: 'inventory', manifest: `inventory/${name}` });

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`It never came to be that ${what}.`);
}

describe('a reconcile', () => {
  it('does every wish that comes while it runs, each once, one after the other, and after one that gave up too', async () => {
    const federation = makeFederation();
    const { seen, steps } = gated();
    await using _worker = await workflows.work(taskQueueOf(federation.name), steps);
    const { client } = workflows.temporal;
    for (const name of ['1', '1', 'bad', '2', '2', 'bad']) await requestReconcile(client, federation, manifest(name));
    await until('it is at work', () => seen.wishes.length > 0);
    await requestReconcile(client, federation, manifest('1'));
    await requestReconcile(client, federation, manifest('3'));
    seen.open();
    const result = await client.workflow.getHandle(workflowIds.reconcile(federation.account.name)).result();
    expect(seen.wishes).toEqual([manifest('1'), manifest('bad'), manifest('2'), manifest('3')]);
    expect(seen.most).toBe(1);
    expect(result).toMatchObject({ runId: 1 });
  });

  it('that the schedule wants is left out while one runs, and else runs under the one id', async () => {
    const federation = makeFederation();
    const { seen, steps } = gated();
    await using _worker = await workflows.work(taskQueueOf(federation.name), steps);
    const { client } = workflows.temporal;
    const id = workflowIds.reconcile(federation.account.name);
    await ensureSchedules(client, federation, 'none');
    const schedule = client.schedule.getHandle(id);
    await using _schedule = { [Symbol.asyncDispose]: () => schedule.delete() };
    await until('it is at work', () => seen.wishes.length > 0);
    expect(seen.wishes).toEqual([{ judge: 'auto' }]);
    const running = client.workflow.getHandle(id);
    expect((await running.describe()).status.name).toBe('RUNNING');

    const fired = async () => (await schedule.describe()).info.recentActions.length;
    const before = await fired();
    await schedule.trigger();
    await until('the schedule has fired again', async () => (await fired()) > before);
    const last = (await schedule.describe()).info.recentActions.at(-1)?.action;
    expect(await client.workflow.getHandle(last?.workflow.workflowId ?? '').result()).toMatch(/runs already/);
    seen.open();
    expect(await running.result()).toMatchObject({ runId: 1 });
    expect(seen.most).toBe(1);
    expect(seen.wishes).toHaveLength(1);
  });
});
