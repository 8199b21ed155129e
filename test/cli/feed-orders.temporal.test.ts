import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Call } from '../../cli/call.ts';
import { control } from '../../cli/commands/control.ts';
import { orderFeed } from '../../cli/commands/feed-order.ts';
import { feedRewind } from '../../cli/commands/feed-rewind.ts';
import { feedSkip } from '../../cli/commands/feed-skip.ts';
import { replay } from '../../cli/commands/replay.ts';
import { readFederation } from '../../cli/environment.ts';
import type { Activities, ReplayTurn } from '../../schema/inputs/activities.ts';
import { checkRewind, REWIND } from '../../schema/inputs/feed.ts';
import { taskQueueOf, workflowIds } from '../../schema/inputs/names.ts';
import { feedRewindOutput } from '../../schema/outputs/feed-rewind.ts';
import { feedSkipOutput } from '../../schema/outputs/feed-skip.ts';
import { replayFeedOutput } from '../../schema/outputs/replay-feed.ts';
import { standing, type TestWorkflows, testWorkflows } from '../workflows/harness.ts';
import { type RecordingTerminal, recordingTerminal } from './recording-terminal.ts';

const SEGMENT = 'idx/segments/2020/11/21/1400/meta.json';
const CHUNK = 'log/00/2026/11/21/1400/00000.avro';
const REPLAYED: ReplayTurn = { done: true, records: 9, applied: 0, superseded: 8, ignored: 1, looks: 0 };

let workflows: TestWorkflows;
let folder: string;
let replayed: Activities['replayFeed'] = async () => REPLAYED;
const worker = new AsyncDisposableStack();

beforeAll(async () => {
  workflows = await testWorkflows();
  folder = await mkdtemp(path.join(tmpdir(), 'isthmus-cli-'));
  await writeFile(
    path.join(folder, 'federation.yaml'),
    "name: lake\naccount: { name: contoso }\nsources: { changeFeed: {} }\nsinks: { gpu: { kind: fileView, root: . } }\nrules: [{ prefix: '', authority: blob, sink: gpu }]\n",
  );
  const activities: Partial<Activities> = {
    tailFeed: standing,
    rewindFeed: async () => ({ segment: SEGMENT }),
    skipFeedBlock: async ({ offset }) => {
      if (offset === 4096) return { from: 4096, to: 8192 };
      const details = [{ consequence: 'give-up' }];
      const message = `no shard stands at ${offset}`;
      throw ApplicationFailure.create({ type: 'ISTHMUS_USAGE', message, nonRetryable: true, details });
    },
    replayFeed: async (input) => await replayed(input),
  };
  worker.use(await workflows.work(taskQueueOf('lake'), activities));
  await workflows.temporal.client.workflow.start('feedTail', {
    workflowId: workflowIds.feedTail('contoso'),
    taskQueue: taskQueueOf('lake'),
    args: [{ federation: 'lake' }],
  });
});
afterAll(async () => {
  await workflows.temporal.client.workflow.getHandle(workflowIds.feedTail('contoso')).terminate();
  await worker.disposeAsync();
  await workflows[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function call(json = false): Call & { readonly terminal: RecordingTerminal } {
  return {
    env: { TEMPORAL_ADDRESS: workflows.temporal.address },
    terminal: recordingTerminal(),
    signal: new AbortController().signal,
    json,
    config: path.join(folder, 'federation.yaml'),
  };
}

describe('isthmus feed rewind', () => {
  it('says from where the feed is read again, and that a paused tail waits for resume', async () => {
    await control({ pause: { reason: 'an hour back' } }, { source: 'feed', all: false }, call());
    const one = call();
    expect(await feedRewind({ by: 3600, reason: 'to be sure' }, one)).toBe(0);
    expect(one.terminal.printed).toEqual([
      `The feed is read again from ${SEGMENT} on. The feed tail is stopped (an hour back): \`isthmus resume feed\` lets it go on.`,
    ]);
    await control('resume', { source: 'feed', all: false }, call());
    const json = call(true);
    expect(await feedRewind({ to: Date.UTC(2026, 0), reason: 'to be sure' }, json)).toBe(0);
    const output = feedRewindOutput.parse(JSON.parse(json.terminal.printed.join('')));
    expect(output).toEqual({ segment: SEGMENT, state: 'running', fromBeginning: false });
  });

  it('says where the feed begins where it has nothing of the time that was asked for', async () => {
    const asked = { to: Date.UTC(1950, 0), reason: 'all of it' };
    const one = call();
    expect(await feedRewind(asked, one)).toBe(0);
    expect(one.terminal.printed).toEqual([
      `The feed has nothing of 1950-01-01T00:00:00.000Z. It is read again from its beginning on, ${SEGMENT}. The feed tail is running.`,
    ]);
    const json = call(true);
    await feedRewind(asked, json);
    const output = feedRewindOutput.parse(JSON.parse(json.terminal.printed.join('')));
    expect(output).toEqual({ segment: SEGMENT, state: 'running', fromBeginning: true });
  });

  it.each([
    [{ reason: 'why' }, 'isthmus feed rewind needs one of --to and --by, but was given none.'],
    [{ by: 60, reason: ' ' }, 'isthmus feed rewind: --reason is " ", but expected why, in words'],
    [
      { to: Date.UTC(9999, 0), reason: 'why' },
      'isthmus feed rewind: --to is "9999-01-01T00:00:00.000Z", which is yet to',
    ],
    [{ by: 1e13, reason: 'why' }, 'isthmus feed rewind: --by goes back further than time is counted.'],
  ])('is wrong use with %j, in the words of the command', async (options, message) => {
    const failed = expect(feedRewind(options, call())).rejects;
    await failed.toMatchObject({ code: 'ISTHMUS_USAGE', message: expect.stringContaining(message) });
    await expect(feedRewind(options, call())).rejects.toThrow(/ Example: isthmus feed rewind --by 1h --reason /);
  });
});

describe('isthmus feed skip', () => {
  it('says what is left out', async () => {
    const json = call(true);
    expect(await feedSkip({ chunk: CHUNK, offset: 4096, reason: 'damaged' }, json)).toBe(0);
    const output = feedSkipOutput.parse(JSON.parse(json.terminal.printed.join('')));
    expect(output).toEqual({ chunk: CHUNK, from: 4096, to: 8192, state: 'running' });
  });

  it.each([
    [{ chunk: '', offset: 0, reason: 'why' }, 'isthmus feed skip: <chunk> is "", but expected the chunk'],
    [{ chunk: CHUNK, offset: 0, reason: '' }, 'isthmus feed skip: --reason is "", but expected why, in words'],
  ])('is wrong use with %j, in the words of the command', async (request, message) => {
    await expect(feedSkip(request, call())).rejects.toMatchObject({
      code: 'ISTHMUS_USAGE',
      message: expect.stringContaining(message),
    });
    await expect(feedSkip(request, call())).rejects.toThrow(` Example: isthmus feed skip ${CHUNK} 4096 --reason "`);
  });

  it('ends with 1 and says why where the feed does not stand there', async () => {
    const one = call();
    expect(await feedSkip({ chunk: CHUNK, offset: 1, reason: 'damaged' }, one)).toBe(1);
    expect(one.terminal.said.join()).toBe('feed-tail/contoso refused: no shard stands at 1');
  });
});

describe('without a worker', () => {
  const alone = async (): Promise<ReturnType<typeof call>> => {
    const config = path.join(folder, 'alone.yaml');
    const yaml = await readFile(path.join(folder, 'federation.yaml'), 'utf8');
    await writeFile(config, yaml.replace('name: lake', 'name: alone').replace('contoso', 'alone'));
    return { ...call(), config };
  };

  it('an order to the feed ends when nobody answers, and says that it may still be carried out', async () => {
    const one = await alone();
    const tail = await workflows.temporal.client.workflow.start('feedTail', {
      workflowId: workflowIds.feedTail('alone'),
      taskQueue: taskQueueOf('alone'),
      args: [{ federation: 'alone' }],
    });
    const federation = await readFederation(one.config, one.env);
    const input = { secondsAgo: 60, reason: 'why' };
    const update = { name: REWIND, input, checked: checkRewind(input, Date.now()), withinMs: 1_000 };
    await expect(orderFeed(federation, update, one, () => undefined)).rejects.toMatchObject({
      code: 'ISTHMUS_SOURCE_UNAVAILABLE',
      message:
        'feed-tail/alone has not answered within 1 s: no worker runs, or its storage or index is in trouble. ' +
        'Look at `isthmus feed show` before ordering again, since Temporal may still carry it out.',
    });
    await tail.terminate();
  });

  it('an order that is interrupted says that it may still be carried out, and where to look', async () => {
    const interrupt = new AbortController();
    const one = { ...(await alone()), signal: interrupt.signal };
    const tail = await workflows.temporal.client.workflow.start('feedTail', {
      workflowId: workflowIds.feedTail('alone'),
      taskQueue: taskQueueOf('alone'),
      args: [{ federation: 'alone' }],
    });
    const running = [
      feedRewind({ by: 60, reason: 'why' }, one),
      control({ pause: { reason: 'why' } }, { source: 'feed', all: false }, one),
    ];
    await expect.poll(() => one.terminal.said).toHaveLength(2);
    const reason = new Error('Ctrl-C');
    interrupt.abort(reason);
    for (const each of running) await expect(each).rejects.toThrow();
    const waits = 'feed-tail/alone has not answered yet, and Temporal may still carry the order out: look at';
    expect(one.terminal.said.slice(2).sort()).toEqual([
      `${waits} \`isthmus feed show\`.`,
      `${waits} \`isthmus status\`.`,
    ]);
    expect(one.terminal.printed).toEqual([]);
    await tail.terminate();
  });

  it('a replay says after a while that none answers, and goes on without the command', async () => {
    const interrupt = new AbortController();
    const one = { ...(await alone()), signal: interrupt.signal };
    const running = replay({}, one);
    await expect.poll(() => one.terminal.said).toHaveLength(1);
    const [id = '', ...hint] = one.terminal.said[0]?.split(' ') ?? [];
    expect(id).toMatch(/^replay\/alone\/[0-9a-f]+$/);
    expect(hint.join(' ')).toBe('has not answered yet: does `isthmus worker` run?');
    const reason = new Error('Ctrl-C');
    interrupt.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(one.terminal.said[1]).toBe(`${id} goes on without this command.`);
    const left = workflows.temporal.client.workflow.getHandle(id);
    expect((await left.describe()).status.name).toBe('RUNNING');
    await left.terminate();
  });
});

describe('isthmus replay', () => {
  it('starts a replay, follows it and prints its counts', async () => {
    const one = call();
    expect(await replay({ from: Date.UTC(2026, 0), prefix: 'lake/', rate: 100 }, one)).toBe(0);
    expect(one.terminal.printed).toEqual([
      '9 records read again: 0 applied, 8 known already, 1 ignored, 0 to be looked at. Nothing was missing.',
    ]);
    const json = call(true);
    await replay({}, json);
    const output = replayFeedOutput.parse(JSON.parse(json.terminal.printed.join('')));
    expect(output).toMatchObject({ id: expect.stringMatching(/^replay\/contoso\/[0-9a-f]{16}$/), records: 9 });
  });

  it('can be paused as every source can', async () => {
    let turns = 0;
    replayed = async () => (turns++ === 0 ? await standing() : REPLAYED);
    const waiting = call();
    const running = replay({ prefix: 'paused/' }, waiting);
    await expect.poll(() => turns).toBe(1);
    const paused = call(true);
    const source = { source: 'replay', all: false };
    // The list of running workflows is a second or so behind.
    await expect.poll(() => control({ pause: { reason: 'busy' } }, source, paused)).toBe(0);
    expect(paused.terminal.printed.at(-1)).toContain('"state":"paused","reason":"busy"');
    await expect.poll(() => waiting.terminal.said.join()).toContain('is stopped: busy');
    expect(await control('resume', source, call())).toBe(0);
    expect(await running).toBe(0);
    await expect.poll(() => control('resume', source, call())).toBe(1);
    const none = call();
    expect(await control({ pause: { reason: 'busy' } }, source, none)).toBe(1);
    expect(none.terminal).toMatchObject({ printed: [], said: ['No replay runs: there is nothing to pause.'] });
    const json = call(true);
    expect(await control('resume', source, json)).toBe(1);
    expect(json.terminal).toMatchObject({
      ...{ printed: ['{"changed":[]}'], said: ['No replay runs: there is nothing to resume.'] },
    });
  });

  it('is wrong use where a range is empty, or a folder is named without its account', async () => {
    const at = Date.UTC(2026, 0);
    for (const options of [{ from: at, to: at }, { feed: 'x' }, { account: 'contoso' }]) {
      await expect(replay(options, call())).rejects.toMatchObject({ code: 'ISTHMUS_USAGE' });
    }
  });
});
