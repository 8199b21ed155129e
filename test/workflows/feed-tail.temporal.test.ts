import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FeedTurn, RewindInput } from '../../schema/inputs/activities.ts';
import type { LoopInput } from '../../schema/inputs/control.ts';
import type { RewindAnswer, SkipAnswer } from '../../schema/inputs/feed.ts';
import { type RunningWorkflow, standing, type TestWorkflows, testWorkflows } from './harness.ts';

const INPUT: LoopInput = { federation: 'lake', turnSeconds: 1, idleSeconds: 60 };
const SEGMENT = 'idx/segments/2026/11/21/1400/meta.json';
const CHUNK = 'log/00/2026/11/21/1400/00000.avro';
const SHARDS = [{ shard: 'log/00/2026/11/21/1400/', chunk: CHUNK, offset: 4096 }];
const TURN: FeedTurn = {
  ...{ state: 'tailing', records: 300, applied: 200, superseded: 100, bytes: 9_000, seconds: 2, caughtUp: true },
  ...{ segment: SEGMENT, shards: SHARDS, appliedTo: 1_000, lagSeconds: 4.5 },
};
const REST: FeedTurn = { ...TURN, restSeconds: 60 };
const NO_FEED: FeedTurn = { ...TURN, state: 'no-feed', reason: 'it is not enabled' };
const CORRUPT: FeedTurn = {
  ...{ ...TURN, state: 'corrupt', caughtUp: false, reason: `${CHUNK}: the block at 4096 is damaged` },
  corrupt: { chunk: CHUNK, offset: 4096 },
};

let workflows: TestWorkflows;
beforeAll(async () => {
  workflows = await testWorkflows();
});
afterAll(() => workflows[Symbol.asyncDispose]());

/** What people read in Temporal's UI. */
async function detailsOf({ handle }: RunningWorkflow): Promise<string> {
  return (await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails;
}

/** These turns, then one that stands. */
function tail(...turns: readonly FeedTurn[]): () => Promise<FeedTurn> {
  let at = 0;
  return async () => turns[at++] ?? (await standing());
}

/** An error of an activity that says that trying again is of no use. */
function refusal(message: string): ApplicationFailure {
  const details = [{ consequence: 'give-up' }];
  return ApplicationFailure.create({ type: 'ISTHMUS_USAGE', message, nonRetryable: true, details });
}

describe('the feed tail', () => {
  it('shows segment, shards, records per second and lag, in its progress and in its details', async () => {
    await using loop = await workflows.start('feedTail', [INPUT], { tailFeed: tail(TURN) });
    const { feed } = await loop.until('at its second turn', ({ turns }) => turns === 1);
    expect(feed).toEqual({
      segment: SEGMENT,
      shards: SHARDS,
      recordsPerSecond: 150,
      lagSeconds: 4.5,
      appliedTo: 1_000,
    });
    const details = await detailsOf(loop);
    for (const part of [SEGMENT, `\`${CHUNK}\` @ 4096`, '| records per second | 150 |', '| lag | 4.5 s |']) {
      expect(details).toContain(part);
    }
    // The UI cuts off the last line.
    expect(details).toMatch(/\| superseded \| 100 \|\n\n\u00a0$/);
  });

  it('never goes back in what it says is applied, as a worker does that has just started', async () => {
    await using loop = await workflows.start('feedTail', [INPUT], {
      tailFeed: tail(TURN, { ...TURN, appliedTo: 400 }),
    });
    const { feed } = await loop.until('at its third turn', ({ turns }) => turns === 2);
    expect(feed?.appliedTo).toBe(1_000);
  });

  it('started by hand needs the name of its federation alone', async () => {
    const seconds: number[] = [];
    await using loop = await workflows.start('feedTail', [{ federation: 'lake' }], {
      tailFeed: async (turn) => {
        seconds.push(turn.seconds);
        return await standing();
      },
    });
    await loop.until('at work', () => seconds.length === 1);
    expect(seconds).toEqual([10]);
  });

  it('started with a wrong input ends at once and says what is wrong', async () => {
    await using loop = await workflows.start('feedTail', [{ federation: 'lake', turnSeconds: 'ten' }], {});
    await expect(loop.handle.result()).rejects.toMatchObject({
      cause: {
        type: 'ISTHMUS_USAGE',
        message: expect.stringMatching(/"turnSeconds" is "ten", but expected .* Example: \{"federation":"lake"\}/),
      },
    });
  });

  it('rests for as long as a turn says, and a wake ends a rest of 60 s at once', async () => {
    let turns = 0;
    await using loop = await workflows.start('feedTail', [INPUT], {
      tailFeed: async () => {
        turns += 1;
        return REST;
      },
    });
    const { doing } = await loop.until('at rest', (progress) => progress.turns === 1 && progress.state === 'waiting');
    expect({ turns, doing }).toEqual({ turns: 1, doing: expect.stringContaining('polled again in 60 s') });
    await loop.handle.signal('wake');
    await loop.until('at rest again', (progress) => progress.turns === 2 && progress.state === 'waiting');
    expect(await loop.rests()).toEqual([
      { seconds: 60, passed: false },
      { seconds: 60, passed: false },
    ]);
  });

  it('keeps a wake that comes while a turn is under way', async () => {
    let release = () => {};
    const first = new Promise<void>((resolve) => {
      release = resolve;
    });
    let turns = 0;
    await using loop = await workflows.start('feedTail', [INPUT], {
      tailFeed: async () => {
        turns += 1;
        if (turns === 1) await first;
        return REST;
      },
    });
    await loop.until('at work', () => turns === 1);
    await loop.handle.signal('wake');
    release();
    await loop.until('at its second rest', (progress) => progress.turns === 2 && progress.state === 'waiting');
  });

  it('says why it rests where there is no feed, and is woken by a signal', async () => {
    await using loop = await workflows.start('feedTail', [INPUT], { tailFeed: async () => NO_FEED });
    await loop.until('at rest', ({ state, doing }) => state === 'waiting' && doing === 'no feed: it is not enabled');
    await loop.handle.signal('wake');
    await loop.until('at rest again', ({ turns, state }) => turns === 2 && state === 'waiting');
    expect(await loop.rests()).toEqual([
      { seconds: 60, passed: false },
      { seconds: 60, passed: false },
    ]);
  });

  it('looks for a feed that is not there ever more seldom', async () => {
    await using loop = await workflows.start('feedTail', [{ ...INPUT, idleSeconds: 4 }], {
      tailFeed: async () => NO_FEED,
    });
    for (let rest = 1; rest <= 4; rest++) {
      await loop.until('at its next rest', ({ turns, state }) => turns >= rest && state === 'waiting');
      await loop.handle.signal('wake');
    }
    // Whether a rest passed or was ended by the wake, the next is the longer one.
    const seconds = (await loop.rests()).map((rest) => rest.seconds);
    expect(seconds.slice(0, 4)).toEqual([4, 8, 10, 10]);
  });
});

describe('a rewind of the feed', () => {
  it('is done while the tail is paused, leaves it so, and what is read again afterwards is counted', async () => {
    const asked: RewindInput[] = [];
    const again = tail({ ...TURN, records: 70, applied: 0, superseded: 70, caughtUp: false }, REST);
    await using loop = await workflows.start('feedTail', [INPUT], {
      tailFeed: async () => (asked.length === 0 ? await standing() : await again()),
      rewindFeed: async (input) => {
        asked.push(input);
        return { segment: SEGMENT };
      },
    });
    await loop.until('at work', ({ state }) => state === 'running');
    await loop.pause('an hour back');
    const answer = await loop.update<RewindAnswer>('rewind', { secondsAgo: 3600, reason: 'to be sure' });
    expect(asked).toEqual([{ seconds: 3600, reason: 'to be sure' }]);
    expect(answer).toMatchObject({
      segment: SEGMENT,
      progress: { state: 'paused', pause: { reason: 'an hour back' } },
    });
    await loop.resume();
    const { feed } = await loop.until('at the end', ({ feed: seen }) => seen?.rewound?.over === true);
    expect(feed?.rewound).toMatchObject({ segment: SEGMENT, reason: 'to be sure', records: 370, applied: 200 });
    expect(await detailsOf(loop)).toContain(`to \`${SEGMENT}\` (to be sure): 370 records read again, 200 applied`);
  });

  it('ends a rest at once, so that reading goes on from the new cursor', async () => {
    await using loop = await workflows.start('feedTail', [INPUT], {
      tailFeed: tail(REST),
      rewindFeed: async () => ({ segment: SEGMENT }),
    });
    await loop.until('at rest', ({ state, turns }) => state === 'waiting' && turns === 1);
    await loop.update('rewind', { secondsAgo: 60, reason: 'to be sure' });
    await loop.until('at work', ({ state }) => state === 'running');
  });

  it('leaves no lag of before to be read, nor shards', async () => {
    await using loop = await workflows.start('feedTail', [INPUT], {
      tailFeed: tail(REST),
      rewindFeed: async () => ({ segment: SEGMENT }),
    });
    await loop.until('at rest', ({ state, turns }) => state === 'waiting' && turns === 1);
    await loop.pause('an hour back');
    const { progress } = await loop.update<RewindAnswer>('rewind', { secondsAgo: 60, reason: 'to be sure' });
    expect(progress.feed).toMatchObject({ segment: SEGMENT, shards: [], appliedTo: 1_000 });
    expect(progress.feed).not.toHaveProperty('lagSeconds');
    expect(await detailsOf(loop)).not.toContain('| lag |');
  });

  it('leaves a turn that is under way to its compare-and-set', async () => {
    let cancelled = false;
    await using loop = await workflows.start('feedTail', [INPUT], {
      tailFeed: async () => {
        try {
          return await standing();
        } catch (error) {
          cancelled = true;
          throw error;
        }
      },
      rewindFeed: async () => ({ segment: SEGMENT }),
    });
    await loop.until('at work', ({ state }) => state === 'running');
    const { progress } = await loop.update<RewindAnswer>('rewind', { secondsAgo: 60, reason: 'to be sure' });
    expect({ cancelled, state: progress.state }).toEqual({ cancelled: false, state: 'running' });
  });

  it('that is asked for wrongly is refused with a message that says what it needs', async () => {
    await using loop = await workflows.start('feedTail', [INPUT], { tailFeed: standing });
    await loop.until('at work', ({ state }) => state === 'running');
    await expect(loop.update('rewind', { reason: 'why' })).rejects.toMatchObject({
      cause: { type: 'ISTHMUS_USAGE', message: expect.stringContaining('rewind needs one of {"to": TIME}'), stack: '' },
    });
    await expect(loop.update('rewind', { to: '2026-02-30', reason: 'why' })).rejects.toMatchObject({
      cause: { message: expect.stringContaining('"to" is "2026-02-30", but expected a time') },
    });
    await expect(loop.update('rewind', undefined)).rejects.toMatchObject({
      cause: { message: expect.stringContaining('rewind takes one JSON object') },
    });
  });

  it('that cannot be done fails with the reason and leaves the tail at work', async () => {
    await using loop = await workflows.start('feedTail', [INPUT], {
      tailFeed: standing,
      rewindFeed: async () => {
        throw refusal('the feed does not go back so far');
      },
    });
    await loop.until('at work', ({ state }) => state === 'running');
    await expect(loop.update('rewind', { secondsAgo: 60, reason: 'why' })).rejects.toMatchObject({
      cause: { type: 'ISTHMUS_REFUSED', message: 'the feed does not go back so far', stack: '' },
    });
    expect((await loop.progress()).state).toBe('running');
  });
});

describe('a block that cannot be read', () => {
  it('9: stops the tail in alarm with the input that leaves it out, which is done and then resumed', async () => {
    const skipped: unknown[] = [];
    await using loop = await workflows.start('feedTail', [INPUT], {
      tailFeed: tail(CORRUPT),
      skipFeedBlock: async (input) => {
        skipped.push(input);
        return { from: 4096, to: 8192 };
      },
    });
    const { pause, feed } = await loop.until('in alarm', ({ state }) => state === 'alarm');
    expect(pause).toMatchObject({ by: 'error', reason: `${CHUNK}: the block at 4096 is damaged` });
    expect(feed?.corrupt).toEqual({ chunk: CHUNK, offset: 4096 });
    const [, pasted = ''] = /```json\n(.*)\n```/.exec(await detailsOf(loop)) ?? [];
    const answer = await loop.update<SkipAnswer>('skip', JSON.parse(pasted));
    expect(skipped).toEqual([{ chunk: CHUNK, offset: 4096, reason: 'WHY' }]);
    expect(answer).toMatchObject({ from: 4096, to: 8192, progress: { state: 'alarm' } });
    expect(await detailsOf(loop)).not.toContain('```json');
    await loop.resume();
    await loop.until('at work', ({ state }) => state === 'running');
  });

  it('that is named wrongly is not left out: the tail stays in alarm', async () => {
    await using loop = await workflows.start('feedTail', [INPUT], {
      tailFeed: tail(CORRUPT),
      skipFeedBlock: async () => {
        throw refusal('no shard stands there');
      },
    });
    await loop.until('in alarm', ({ state }) => state === 'alarm');
    const wrong = { chunk: CHUNK, offset: 1, reason: 'why' };
    await expect(loop.update('skip', wrong)).rejects.toMatchObject({
      cause: { type: 'ISTHMUS_REFUSED', message: expect.stringContaining('no shard stands there') },
    });
    expect((await loop.progress()).feed?.corrupt).toEqual({ chunk: CHUNK, offset: 4096 });
  });
});

describe('a feed tail that continues as new', () => {
  // The first turn of each run is its last: its nine events are past this.
  const HISTORY_EVENTS = 8;

  it('9: stays in alarm, with reason, place and the input that mends it, and keeps its totals', async () => {
    await using brief = await testWorkflows(HISTORY_EVENTS);
    await using loop = await brief.start('feedTail', [INPUT], { tailFeed: tail(CORRUPT, TURN) });
    const { firstExecutionRunId: first } = loop.handle;
    await expect.poll(async () => (await loop.handle.describe()).runId).not.toBe(first);
    expect(await loop.until('in alarm still', ({ state }) => state === 'alarm')).toMatchObject({
      pause: { by: 'error', reason: `${CHUNK}: the block at 4096 is damaged` },
      feed: { corrupt: { chunk: CHUNK, offset: 4096 }, segment: SEGMENT },
      turns: 1,
      totals: { records: 300 },
    });
    expect(await detailsOf(loop)).toContain('```json');
    await loop.resume();
    await loop.until('past it', ({ turns, feed }) => turns === 2 && feed?.corrupt === undefined);
  });
});
