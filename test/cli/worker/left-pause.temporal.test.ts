import { expect, it } from 'vitest';
import { endUnnamedLoops, ensureLoops } from '../../../cli/worker/ensure-workflows.ts';
import { loopStanding } from '../../../cli/worker/left-pause.ts';
import { workflowStates } from '../../../cli/worker/workflow-states.ts';
import { federationSchema } from '../../../schema/federation/federation.ts';
import { PAUSE, PROGRESS, type Progress, RESUME } from '../../../schema/inputs/control.ts';
import { taskQueueOf } from '../../../schema/inputs/names.ts';
import { until } from '../../infra/stack/alive.ts';
import { standing, testWorkflows } from '../../workflows/harness.ts';

const file = (sources: object) =>
  federationSchema.parse({
    ...{ name: 'test', account: { name: 'lake' }, sources },
    sinks: { vast: { kind: 'fileView', root: '/nowhere' } },
    rules: [{ prefix: '', authority: 'blob', sink: 'vast' }],
  });

it('a pause outlives the loop that ends as its source leaves the federation file, until somebody resumes it', async () => {
  await using workflows = await testWorkflows();
  const { client } = workflows.temporal;
  const worker = () => workflows.work(taskQueueOf('test'), { tailFeed: standing, answerLooks: standing });
  const tail = client.workflow.getHandle('feed-tail/lake');
  const [named, without] = [file({ changeFeed: {} }), file({})];
  /** Its source leaves the file and comes back. */
  const leaveAndReturn = async () => {
    const there = async () => (await workflowStates(client, 'test')).some(({ id }) => id === 'feed-tail/lake');
    await until('seen', there);
    expect(await endUnnamedLoops(client, without)).toEqual(['feed-tail/lake']);
    await until('gone', async () => !(await there()));
    await ensureLoops(client, named);
  };
  const pauseNow = async () => (await tail.query<Progress>(PROGRESS)).pause;
  const first = await worker();
  await ensureLoops(client, named);
  const { pause } = await tail.executeUpdate<Progress, [object]>(PAUSE, { args: [{ reason: 'storage moves' }] });
  await leaveAndReturn();
  expect(await pauseNow()).toEqual(pause);
  // Ended by hand, it comes back likewise; and where the worker that tells why begins only after it has asked.
  await tail.terminate();
  await first[Symbol.asyncDispose]();
  const [none, returning] = [await loopStanding(client, tail.workflowId, 1), ensureLoops(client, named)];
  expect(none).toEqual({
    pause: { by: 'operator', reason: 'it was paused when its loop ended', since: expect.any(Number) },
  });
  await using _worker = await worker();
  await returning;
  expect(await tail.query<Progress>(PROGRESS)).toMatchObject({ state: 'paused', pause });
  await tail.executeUpdate(RESUME);
  await leaveAndReturn();
  expect(await pauseNow()).toBe(undefined);
});
