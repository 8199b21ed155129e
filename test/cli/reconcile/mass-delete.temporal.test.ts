import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createActivities } from '../../../activities/activities.ts';
import type { Call } from '../../../cli/call.ts';
import { decideRun } from '../../../cli/reconcile/decide.ts';
import { showHistory } from '../../../cli/reconcile/history.ts';
import { showPlan } from '../../../cli/reconcile/plan.ts';
import { reconcile } from '../../../cli/reconcile/run.ts';
import { undoReconcile } from '../../../cli/reconcile/undo.ts';
import { listEntries } from '../../../schema/index/queries.ts';
import { taskQueueOf, workflowIds } from '../../../schema/inputs/names.ts';
import {
  reconcileDecideOutput,
  reconcileOutput,
  reconcileRunOutput,
  reconcileUndoOutput,
} from '../../../schema/outputs/reconcile.ts';
import { reconcileHistoryLine } from '../../../schema/outputs/reconcile-history.ts';
import { reconcilePlanOutput } from '../../../schema/outputs/reconcile-plan.ts';
import { testServices } from '../../activities/test-services.ts';
import { temporaryFolder } from '../../infra/stack/temporary-folder.ts';
import { FakeBlobs } from '../../reconciler/support/fake-blobs.ts';
import { type TestIndex, testIndex } from '../../support/postgres.ts';
import { type TestWorkflows, testWorkflows } from '../../workflows/harness.ts';
import { type RecordingTerminal, recordingTerminal } from '../recording-terminal.ts';

const HOUR = 3_600_000;
/** Its ESC must reach no terminal. */
const RED = 'raw/\u001b[31mred';
const NAMES = [...Array.from({ length: 30 }, (_, at) => `raw/${String(at).padStart(2, '0')}`), RED];

const stack = new AsyncDisposableStack();
const blobs = new FakeBlobs(Math.floor(Date.now() / 1000) * 1000 - HOUR, 'lake');
let workflows: TestWorkflows;
let db: TestIndex;
let config: string;

/** The story of one account, told by one command after the other: each test goes on where the one before ended. */
beforeAll(async () => {
  workflows = stack.use(await testWorkflows());
  db = stack.use(await testIndex());
  const { folder } = stack.use(await temporaryFolder());
  config = path.join(folder, 'federation.yaml');
  await writeFile(
    config,
    "name: test\naccount: { name: lake }\nsinks: { vast: { kind: fileView, root: . } }\nrules: [{ prefix: '', authority: blob, sink: vast }]\n",
  );
  const services = await testServices(db.index, { blobs });
  const { federation } = services;
  const strict = { ...federation, reconcile: { ...federation.reconcile, stop: { percent: 1, names: 10 } } };
  stack.use(await workflows.work(taskQueueOf('test'), createActivities({ ...services, federation: strict })));
  const look = await workflows.temporal.client.workflow.start('look', {
    workflowId: workflowIds.look('lake'),
    taskQueue: taskQueueOf('test'),
    args: [{ federation: 'test', turnSeconds: 1, idleSeconds: 1 }],
  });
  stack.defer(async () => void (await look.terminate()));
  for (const name of NAMES) blobs.put('lake', name);
  blobs.put('lake', 'kept');
});
afterAll(() => stack.disposeAsync());

function call(json = true): Call & { readonly terminal: RecordingTerminal } {
  return {
    env: { TEMPORAL_ADDRESS: workflows.temporal.address, DATABASE_URL: db.url },
    terminal: recordingTerminal(),
    signal: new AbortController().signal,
    json,
    config,
  };
}

const LISTING = { judge: 'listing', wait: true } as const;

async function live(): Promise<readonly string[]> {
  const account = await db.index.db.selectFrom('accounts').select('id').executeTakeFirstOrThrow();
  const rows = await listEntries(db.index.db, account.id, { prefix: '', limit: 1000 });
  return rows.map(({ name }) => name);
}

describe('isthmus reconcile', () => {
  it('run judges, and tells what it found', async () => {
    const one = call();
    expect(await reconcile(LISTING, one)).toBe(0);
    const found = reconcileOutput.parse(JSON.parse(one.terminal.printed.join('')));
    expect(found).toMatchObject({ runId: 1, outcome: 'complete', listed: 32 });
    expect(await live()).toHaveLength(32);
  });

  it('run prints the plan of a mass delete, deletes nothing, and exits 1', async () => {
    blobs.later(HOUR / 2);
    for (const name of NAMES) blobs.delete('lake', name);
    const one = call();
    expect(await reconcile(LISTING, one)).toBe(1);
    const output = reconcileRunOutput.parse(JSON.parse(one.terminal.printed.join('')));
    expect(output).toMatchObject({ outcome: 'waiting', plan: { runId: 2, deleted: { names: 31 }, live: 32 } });
    expect(await live()).toHaveLength(32);
    const again = call(false);
    expect(await reconcile(LISTING, again)).toBe(1);
    expect(again.terminal.printed.join('\n')).toContain('run 2, judged by a listing of everything: it waits');
  });

  it('plan shows it by prefix to people without a control character, and how to decide', async () => {
    const one = call(false);
    expect(await showPlan(undefined, one)).toBe(0);
    const text = one.terminal.printed.join('\n');
    expect(text).toMatch(/it lacks 31 of 32 live names/);
    expect(text).toMatch(/^ {2}31 +lake\/raw\/ /m);
    expect(text).toContain('`isthmus reconcile approve 2`');
    expect(text).not.toContain('\u001b');
    const json = call();
    await showPlan(2, json);
    const plan = reconcilePlanOutput.parse(JSON.parse(json.terminal.printed.join('')));
    expect(plan.deleted.prefixes).toMatchObject([{ prefix: 'lake/raw/', names: 31 }]);
    const none = call();
    expect(await showPlan(99, none)).toBe(1);
    expect(none.terminal.said.join()).toContain('There is no run 99');
  });

  it('run over a prefix is done while it waits', async () => {
    blobs.put('lake', 'other/1');
    const one = call();
    expect(await reconcile({ ...LISTING, prefix: 'lake/other/' }, one)).toBe(0);
    expect(JSON.parse(one.terminal.printed.join(''))).toMatchObject({ runId: 3, outcome: 'complete' });
    expect(await live()).toContain('other/1');
  });

  it('approve is followed to the end, also after somebody ended the workflow that waited', async () => {
    const left = workflows.temporal.client.workflow.getHandle(workflowIds.reconcile('lake'));
    await left.terminate('somebody was curious');
    const one = call();
    const approval = { run: 2, decision: 'approved', who: 'ada', reason: 'the folder was to go', wait: true } as const;
    expect(await decideRun(approval, one)).toBe(0);
    const output = reconcileDecideOutput.parse(JSON.parse(one.terminal.printed.join('')));
    expect(output).toMatchObject({ decision: 'approved', who: 'ada', summary: { outcome: 'complete', missing: 31 } });
    expect(one.terminal.said.join('\n')).toContain('Run 2 is approved by ada: 31 names are looked at');
    expect(await live()).toEqual(['kept', 'other/1']);

    const late = call();
    expect(await decideRun({ run: 2, decision: 'rejected', who: 'bob', reason: 'no', wait: true }, late)).toBe(1);
    expect(late.terminal.said.join()).toMatch(/^Run 2 was approved by ada at .*: the folder was to go\.$/);
    const never = call();
    expect(await decideRun({ run: 1, decision: 'approved', who: 'bob', wait: true }, never)).toBe(1);
    expect(never.terminal.said.join()).toBe('Run 1 does not wait for a decision, as it ended: complete.');
    const none = call();
    expect(await decideRun({ run: 99, decision: 'approved', who: 'bob', wait: true }, none)).toBe(1);
    await expect(decideRun({ run: 2, decision: 'approved', who: ' ', wait: true }, call())).rejects.toMatchObject({
      code: 'ISTHMUS_USAGE',
      message: expect.stringContaining('isthmus reconcile approve: --as is " "'),
    });
  });

  it('undo restores what exists and lists what does not', async () => {
    for (const name of NAMES.slice(5)) blobs.put('lake', name);
    const one = call();
    expect(await undoReconcile(2, one)).toBe(0);
    const undone = reconcileUndoOutput.parse(JSON.parse(one.terminal.printed.join('')));
    expect(undone).toMatchObject({ runId: 2, looked: 31, restored: 26, gone: 5, unanswered: 0 });
    expect(undone.goneNames).toContain('lake/raw/00');
    expect(await live()).toHaveLength(28);
    const none = call();
    expect(await undoReconcile(99, none)).toBe(1);
    expect(none.terminal.said.join()).toContain('There is no run 99');
  });

  it('reject keeps everything', async () => {
    blobs.later(HOUR / 2);
    for (const name of NAMES) blobs.delete('lake', name);
    expect(await reconcile(LISTING, call())).toBe(1);
    const one = call(false);
    expect(await decideRun({ run: 4, decision: 'rejected', who: 'ada', reason: 'not yet', wait: true }, one)).toBe(0);
    expect(one.terminal.printed[0]).toMatch(/^run 4, judged by listing: guarded: .*rejected by ada: not yet/);
    expect(await live()).toHaveLength(28);
  });

  it('history lists the runs, the newest first, with what was decided', async () => {
    const json = call();
    expect(await showHistory({ limit: 20 }, json)).toBe(0);
    const lines = json.terminal.printed.map((line) => reconcileHistoryLine.parse(JSON.parse(line)));
    expect(lines.map(({ runId, decision }) => [runId, decision])).toEqual([
      [4, 'rejected'],
      [3, null],
      [2, 'approved'],
      [1, null],
    ]);
    expect(lines[2]).toMatchObject({ decidedBy: 'ada', decisionReason: 'the folder was to go', outcome: 'complete' });
    const text = call(false);
    await showHistory({ limit: 1, prefix: 'lake/other/' }, text);
    expect(text.terminal.printed.join('\n')).toMatch(
      /^run +judged by .*\n3 +a listing of lake\/other\/ +.* complete +1 /,
    );
  });
});
