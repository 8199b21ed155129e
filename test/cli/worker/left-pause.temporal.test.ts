import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { endUnnamedLoops, ensureLoops, searchAttributesOf } from '../../../cli/worker/ensure-workflows.ts';
import { loopStanding } from '../../../cli/worker/left-pause.ts';
import { workflowStates } from '../../../cli/worker/workflow-states.ts';
import { federationSchema } from '../../../schema/federation/federation.ts';
import type { Activities } from '../../../schema/inputs/activities.ts';
import { PAUSE, PROGRESS, type Progress, RESUME } from '../../../schema/inputs/control.ts';
import { taskQueueOf } from '../../../schema/inputs/names.ts';
import { until } from '../../infra/stack/alive.ts';
import { standing, testWorkflows } from '../../workflows/harness.ts';

const file = (sources: object, name = 'test') =>
  federationSchema.parse({
    ...{ name, account: { name: 'lake' }, sources },
    sinks: { vast: { kind: 'fileView', root: '/nowhere' } },
    rules: [{ prefix: '', authority: 'blob', sink: 'vast' }],
  });

const [named, without] = [file({ changeFeed: {} }), file({})];

async function feedTail(tailFeed: Activities['tailFeed'] = standing) {
  const workflows = await testWorkflows();
  const { client } = workflows.temporal;
  const tail = client.workflow.getHandle('feed-tail/lake');
  return {
    client,
    tail,
    worker: (name = 'test') => workflows.work(taskQueueOf(name), { tailFeed, answerLooks: standing }),
    progress: () => tail.query<Progress>(PROGRESS),
    pause: () => tail.executeUpdate<Progress, [object]>(PAUSE, { args: [{ reason: ' storage moves ' }] }),
    [Symbol.asyncDispose]: () => workflows[Symbol.asyncDispose](),
  };
}

describe('a pause', () => {
  it('outlives the loop that ends as its source leaves the federation file, until somebody resumes it', async () => {
    await using feed = await feedTail();
    const { client, tail } = feed;
    /** Its source leaves the file and comes back. */
    const leaveAndReturn = async () => {
      const there = async () => (await workflowStates(client, 'test')).some(({ id }) => id === 'feed-tail/lake');
      await until('seen', there);
      expect(await endUnnamedLoops(client, without)).toEqual(['feed-tail/lake']);
      await until('gone', async () => !(await there()));
      await ensureLoops(client, named);
    };
    await using _worker = await feed.worker();
    await ensureLoops(client, named);
    const { pause } = await feed.pause();
    expect(pause?.reason).toBe('storage moves');
    await leaveAndReturn();
    expect((await feed.progress()).pause).toEqual(pause);
    await leaveAndReturn();
    expect(await feed.progress()).toMatchObject({ state: 'paused', pause });
    await tail.executeUpdate(RESUME);
    await leaveAndReturn();
    expect((await feed.progress()).pause).toBe(undefined);
  });

  it('outlives a loop that ends twice while no worker runs, also where its federation is renamed', async () => {
    await using feed = await feedTail();
    const { client, tail } = feed;
    const first = await feed.worker('before');
    await ensureLoops(client, file({ changeFeed: {} }, 'before'));
    const { pause } = await feed.pause();
    await first[Symbol.asyncDispose]();
    for (const _end of ['by hand', 'before its first task']) {
      await tail.terminate();
      expect(await loopStanding(client, tail.workflowId)).toEqual({ pause });
      await ensureLoops(client, named);
    }
    await using _worker = await feed.worker();
    expect(await feed.progress()).toMatchObject({ state: 'paused', pause });
  });

  it('of which the loop has not kept the reason is a pause all the same', async () => {
    await using feed = await feedTail();
    await feed.client.workflow.start('feedTail', {
      ...{ workflowId: feed.tail.workflowId, taskQueue: 'nobody', args: [{}] },
      typedSearchAttributes: searchAttributesOf('test', 'feed', 'paused'),
    });
    await feed.tail.terminate();
    expect(await loopStanding(feed.client, feed.tail.workflowId)).toEqual({
      pause: { by: 'operator', reason: 'it was paused when its loop ended', since: expect.any(Number) },
    });
  });
});

it('an alarm ends with its loop', async () => {
  await using feed = await feedTail(() => {
    throw ApplicationFailure.nonRetryable('something is wrong', 'ISTHMUS_ASSERTION');
  });
  const { client, tail } = feed;
  await using _worker = await feed.worker();
  await ensureLoops(client, named);
  await feed.pause();
  await tail.executeUpdate(RESUME);
  await until('in alarm', async () => (await feed.progress()).state === 'alarm');
  await tail.terminate();
  expect(await loopStanding(client, tail.workflowId)).toEqual({ pause: undefined });
});
