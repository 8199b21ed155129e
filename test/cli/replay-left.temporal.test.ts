import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Call } from '../../cli/call.ts';
import { replayFeed } from '../../cli/commands/replay-feed.ts';
import type { ReplayTurn } from '../../schema/inputs/activities.ts';
import { PAUSE } from '../../schema/inputs/control.ts';
import { taskQueueOf } from '../../schema/inputs/names.ts';
import { standing, type TestWorkflows, testWorkflows } from '../workflows/harness.ts';
import { type RecordingTerminal, recordingTerminal } from './recording-terminal.ts';

const REPLAYED: ReplayTurn = { done: true, records: 9, applied: 0, superseded: 9, ignored: 0, looks: 0 };
const RANGE = { from: Date.UTC(2026, 0), prefix: "it's/", rate: 7 };

let workflows: TestWorkflows;
let folder: string;
const worker = new AsyncDisposableStack();
/** As many turns as it says stand until they are cancelled; the others are done at once. */
let stand = 0;

beforeAll(async () => {
  workflows = await testWorkflows();
  folder = await mkdtemp(path.join(tmpdir(), 'isthmus-cli-'));
  await writeFile(
    path.join(folder, 'federation.yaml'),
    "name: lake\naccount: { name: contoso }\nsources: { changeFeed: {} }\nsinks: { gpu: { kind: fileView, root: . } }\nrules: [{ prefix: '', authority: blob, sink: gpu }]\n",
  );
  const replayTurn = async () => (stand-- > 0 ? await standing() : REPLAYED);
  worker.use(await workflows.work(taskQueueOf('lake'), { replayFeed: replayTurn }));
});
afterAll(async () => {
  await worker.disposeAsync();
  await workflows[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function call(signal = new AbortController().signal): Call & { readonly terminal: RecordingTerminal } {
  const env = { TEMPORAL_ADDRESS: workflows.temporal.address };
  return { env, terminal: recordingTerminal(), signal, json: false, config: path.join(folder, 'federation.yaml') };
}

/** Starts a replay and presses Ctrl-C once its first turn stands; the lines that were said then. */
async function leave(): Promise<readonly string[]> {
  stand = 1;
  const interrupt = new AbortController();
  const left = call(interrupt.signal);
  const running = replayFeed(RANGE, left);
  await expect.poll(() => stand).toBe(0);
  interrupt.abort(new Error('Ctrl-C'));
  await expect(running).rejects.toThrow('Ctrl-C');
  return left.terminal.said;
}

const handleOf = (said: readonly string[]) =>
  workflows.temporal.client.workflow.getHandle(said[0]?.split(' ')[0] ?? '');

describe('a replay that its command has left', () => {
  it('says that it goes on, what follows it, where its result is, and what stops it', async () => {
    const said = await leave();
    const { workflowId } = handleOf(said);
    const option = `--workflow-id ${workflowId} --address ${workflows.temporal.address} --namespace default`;
    expect(workflowId).toMatch(/^replay\/contoso\/[0-9a-f]{16}$/);
    expect(said).toEqual([
      `${workflowId} goes on without this command.`,
      `While it runs, this follows it: isthmus replay --config ${folder}/federation.yaml ` +
        String.raw`--from 2026-01-01T00:00:00.000Z --prefix 'it'\''s/' --rate 7`,
      'After its end, the same starts another, which changes nothing where nothing was missing.',
      `Its result is in Temporal's UI under that id, or: temporal workflow result ${option}`,
      `To stop it: Request Cancellation there, or: temporal workflow cancel ${option}`,
    ]);
    await handleOf(said).cancel();
    await expect(handleOf(said).result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  });

  it('is followed by the same command, which says of one that was stopped that it was', async () => {
    const handle = handleOf(await leave());
    await handle.executeUpdate(PAUSE, { args: [{ reason: 'a look at it' }] });
    const again = call();
    const cancelled = expect(replayFeed(RANGE, again)).rejects.toThrow(`${handle.workflowId} was cancelled.`);
    await expect.poll(() => again.terminal.said.join()).toContain('is stopped: a look at it');
    await handle.cancel();
    await cancelled;
    expect((await handle.describe()).status.name).toBe('CANCELLED');
  });

  it('is started anew by the same command after its end', async () => {
    const handle = handleOf(await leave());
    const { runId } = await handle.describe();
    await handle.terminate();
    expect(await replayFeed(RANGE, call())).toBe(0);
    expect((await handle.describe()).runId).not.toBe(runId);
  });
});
