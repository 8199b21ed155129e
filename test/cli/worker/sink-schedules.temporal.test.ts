import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureSchedules } from '../../../cli/worker/ensure-workflows.ts';
import { endUnnamedSinkSchedules } from '../../../cli/worker/sink-schedules.ts';
import { type Federation, federationSchema } from '../../../schema/federation/federation.ts';
import type { JudgeSinkInput } from '../../../schema/inputs/judge-sink.ts';
import { taskQueueOf, workflowIds } from '../../../schema/inputs/names.ts';
import { type TestWorkflows, testWorkflows } from '../../workflows/harness.ts';

let workflows: TestWorkflows;
beforeAll(async () => {
  workflows = await testWorkflows();
});
afterAll(() => workflows[Symbol.asyncDispose]());

function federation(...sinks: readonly string[]): Federation {
  return federationSchema.parse({
    name: 'lake',
    account: { name: 'lake' },
    sinks: Object.fromEntries(sinks.map((sink) => [sink, { kind: 'fileView', root: '/nowhere' }])),
    rules: [{ prefix: '', authority: 'blob', sink: sinks[0] }],
    reconcile: { sinksEveryHours: 6 },
  });
}

describe('the schedules of sinks', () => {
  it('are one for each, start the one judge of it, and end with the sink that the file does not name any more', async () => {
    const { client } = workflows.temporal;
    const asked: JudgeSinkInput[] = [];
    const summary = { outcome: 'complete', drift: {}, files: 0, live: 0, repaired: 0, open: 0, waiting: 0 } as const;
    await using _worker = await workflows.work(taskQueueOf('lake'), {
      prepareJudgeSink: async (input) => {
        asked.push(input);
        return { runId: 1 };
      },
      judgeSink: async ({ runId, sink }) => ({ runId, sink, ...summary }),
    });
    await ensureSchedules(client, federation('gpu', 'other'), 'none');
    const schedule = client.schedule.getHandle(workflowIds.judgeSink('lake', 'other'));
    expect((await schedule.describe()).spec.intervals).toMatchObject([{ every: 6 * 3_600_000 }]);
    expect(asked).toEqual([]);
    await schedule.trigger();
    const judge = client.workflow.getHandle(workflowIds.judgeSink('lake', 'other'));
    await expect.poll(() => judge.result().catch(() => undefined)).toMatchObject({ runId: 1, sink: 'other' });
    expect(asked).toEqual([{ sink: 'other' }]);

    const listed = async () => {
      const ids: string[] = [];
      for await (const { scheduleId } of client.schedule.list()) ids.push(scheduleId);
      return ids;
    };
    await expect.poll(listed).toContain(workflowIds.judgeSink('lake', 'other'));
    await ensureSchedules(client, federation('gpu'), 'none');
    await expect(schedule.describe()).rejects.toThrow();
    expect(await client.schedule.getHandle(workflowIds.judgeSink('lake', 'gpu')).describe()).toBeDefined();
    expect(await endUnnamedSinkSchedules(client, federation('gpu'))).toEqual([]);
  });
});
