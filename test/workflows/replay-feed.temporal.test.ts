import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applicationFailure } from '../../activities/application-failure.ts';
import { NothingToReplayError } from '../../activities/feed/nothing-to-replay.ts';
import { FeedUnavailableError } from '../../schema/feed/feed-error.ts';
import type { ReplayFeedInput, ReplayTurn } from '../../schema/inputs/activities.ts';
import { standing, type TestWorkflows, testWorkflows } from './harness.ts';

const JOB = { federation: 'lake', from: '2026-11-21T13:00:00Z', to: '2026-11-21T14:00:00Z', prefix: 'lake/' };
const SEGMENT = 'idx/segments/2026/11/21/1300/meta.json';

let workflows: TestWorkflows;
beforeAll(async () => {
  workflows = await testWorkflows();
});
afterAll(() => workflows[Symbol.asyncDispose]());

function spot(offset: number) {
  return { segment: SEGMENT, shards: { 'log/00/': { chunk: 'log/00/00000.avro', offset, index: 0 } } };
}

function turn(records: number, applied: number, at?: number): ReplayTurn {
  const counts = { records, applied, superseded: records - applied, ignored: 0, looks: 0 };
  return { done: at === undefined, at: spot(at ?? 0), ...counts };
}

describe('a replay', () => {
  it('goes on in each turn where the one before stopped, and its result is what all of them did', async () => {
    const asked: ReplayFeedInput[] = [];
    const turns = [turn(100, 0, 10), turn(50, 2, 20), turn(7, 0)];
    await using job = await workflows.start('replay', [{ ...JOB, recordsPerSecond: 1_000 }], {
      replayFeed: async (input) => {
        asked.push(input);
        return turns[asked.length - 1] ?? (await standing());
      },
    });
    expect(await job.handle.result()).toEqual({ records: 157, applied: 2, superseded: 155, ignored: 0, looks: 0 });
    const { federation: _, ...range } = JOB;
    const each = { ...range, recordsPerSecond: 1_000, seconds: 10 };
    expect(asked).toEqual([each, { ...each, cursor: spot(10) }, { ...each, cursor: spot(20) }]);
    expect(await job.progress()).toMatchObject({ state: 'done', doing: '2 of 157 records applied, 0 looks asked for' });
  });

  it('pauses with a reason, shows where it stands meanwhile, and goes on from there', async () => {
    const asked: ReplayFeedInput[] = [];
    await using job = await workflows.start('replay', [JOB], {
      replayFeed: async (input) => {
        asked.push(input);
        if (asked.length === 1) return turn(100, 0, 10);
        return asked.length === 2 ? await standing() : turn(1, 0);
      },
    });
    await job.until('at its second turn', () => asked.length === 2);
    const paused = await job.pause('the index is busy');
    expect(paused).toMatchObject({
      ...{ state: 'paused', pause: { reason: 'the index is busy' }, doing: `reading ${SEGMENT}` },
      ...{ totals: { records: 100 }, feed: { segment: SEGMENT, shards: [{ shard: 'log/00/', offset: 10 }] } },
    });
    await job.resume();
    expect(await job.handle.result()).toMatchObject({ records: 101, applied: 0 });
    expect(asked[2]?.cursor).toEqual(spot(10));
    expect((await job.progress()).doing).toBe('nothing was missing: 101 records, none applied');
  });

  it.each([
    [[{ ...JOB, from: 'noon' }], /replay: "from" is "noon", but expected a time .* Example: \{"federation":"lake"/],
    [[{ from: JOB.from }], /replay needs "federation"/],
    [[{ ...JOB, to: '2026-02-30' }], /"to" is "2026-02-30", but expected a time of ISO 8601/],
    [[], /replay takes one JSON object, but was given nothing/],
  ])('of %j fails at once with a message that can be read', async (args, message) => {
    await using job = await workflows.start('replay', args, {});
    await expect(job.handle.result()).rejects.toMatchObject({
      cause: { type: 'ISTHMUS_USAGE', nonRetryable: true, message: expect.stringMatching(message) },
    });
  });

  it("on the task queue of another federation's workers fails at once and says whose they are", async () => {
    await using _worker = await workflows.work('isthmus-lake', {});
    const args = [{ ...JOB, federation: 'pond' }];
    const options = { workflowId: 'replay/by-hand', taskQueue: 'isthmus-lake', args };
    const handle = await workflows.temporal.client.workflow.start('replay', options);
    await expect(handle.result()).rejects.toMatchObject({
      cause: { message: expect.stringContaining('"federation" is "pond", but expected "lake"') },
    });
  });

  it('ends where there is no feed that it could begin with, and says what to do instead', async () => {
    const none = new FeedUnavailableError('not-enabled', 'the account has no feed');
    await using job = await workflows.start('replay', [JOB], {
      replayFeed: async () => {
        throw applicationFailure(new NothingToReplayError(none), false);
      },
    });
    await expect(job.handle.result()).rejects.toMatchObject({
      cause: {
        type: 'ISTHMUS_GIVEN_UP',
        message:
          'replayFeed: ISTHMUS_FEED_UNAVAILABLE: the account has no feed. Nothing was read again; ' +
          '`isthmus reconcile` compares the index with the account itself',
      },
    });
  });

  it('that continues as new carries its counts and where it stands', async () => {
    await using brief = await testWorkflows(8);
    const asked: ReplayFeedInput[] = [];
    const turns = [turn(10, 1, 10), turn(20, 0, 20), turn(30, 0)];
    await using job = await brief.start('replay', [JOB], {
      replayFeed: async (input) => {
        asked.push(input);
        return turns[asked.length - 1] ?? (await standing());
      },
    });
    expect(await job.handle.result()).toEqual({ records: 60, applied: 1, superseded: 59, ignored: 0, looks: 0 });
    expect(asked.map(({ cursor }) => cursor)).toEqual([undefined, spot(10), spot(20)]);
    expect((await job.handle.describe()).runId).not.toBe(job.handle.firstExecutionRunId);
  });
});
