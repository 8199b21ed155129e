/**
 * Records the histories that `replay.test.ts` replays: node test/workflows/record-histories.ts [NAME ...]
 *
 * A recorded history is a promise to workflows that run somewhere: record anew only where a change of the
 * workflow code was made safe for them (`patched`), and keep the old file beside the new one.
 */
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { ApplicationFailure } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { Activities, FeedTurn, ReconcileSummary, TriggerTurn } from '../../schema/inputs/activities.ts';
import { REWIND, SKIP } from '../../schema/inputs/feed.ts';
import { WAKE, WISH, type WorkflowType, workflowIds } from '../../schema/inputs/names.ts';
import { DECIDE, type ReconcilePlan } from '../../schema/inputs/reconcile.ts';
import { ASK } from '../../schema/inputs/wish.ts';
import { type RunningWorkflow, standing, type TestWorkflows, testWorkflows } from './harness.ts';

const LOOP = { federation: 'lake', turnSeconds: 1, idleSeconds: 60 };
const TURN = { messages: 1, applied: 1, superseded: 0, ignored: 0, deadLettered: 0 };
const SUMMARY: ReconcileSummary = {
  ...{ runId: 7, judge: 'inventory', outcome: 'complete' },
  ...{ listed: 10, agreed: 8, filled: 0, applied: 0, looks: 2, missing: 1 },
};

const FEED: FeedTurn = {
  ...{ state: 'tailing', records: 0, applied: 0, superseded: 0, bytes: 0, seconds: 1, caughtUp: true },
  segment: 'idx/segments/2026/11/21/1400/meta.json',
};
const SPOT = { segment: 'idx/segments/2026/11/21/1300/meta.json' };
const REPLAYED = { records: 3, applied: 0, superseded: 3, ignored: 0, looks: 0 };

const RECONCILE: Partial<Activities> = {
  standingReconciles: async () => ({ runs: [] }),
  prepareReconcile: async () => ({ runId: 7, judge: 'inventory' }),
  stageReconcile: async () => ({ staged: 10 }),
  judgeReconcile: async () => ({ looks: 2 }),
  finishReconcile: async () => SUMMARY,
};

type Scenario = (workflows: TestWorkflows) => Promise<void>;

/** Some turns, then one that stands. */
function turns<Turn>(...given: readonly Turn[]): () => Promise<Turn> {
  let at = 0;
  return async () => given[at++] ?? (await standing());
}

const scenarios: Record<string, Scenario> = {
  'trigger-intake.paused-and-resumed': async (workflows) => {
    await using loop = await workflows.start('triggerIntake', [LOOP], { receiveTriggers: turns(TURN, TURN) });
    await loop.until('at its third turn', (progress) => progress.turns === 2);
    await loop.pause('house move');
    await loop.resume();
    await loop.until('at work', ({ state }) => state === 'running');
    await save(loop, 'trigger-intake.paused-and-resumed');
  },
  'event-hub-intake.paused-and-resumed': async (workflows) => {
    const hub = { ...LOOP, readers: 2 };
    // Each turn is one of each reader.
    await using loop = await workflows.start('eventHubIntake', [hub], {
      receiveEventHub: turns<TriggerTurn>(TURN, TURN, TURN, {
        ...TURN,
        slowed: 'slowed, for the index took 7 s for a batch',
      }),
    });
    await loop.until('at its third turn', (progress) => progress.turns === 2);
    await loop.pause('house move');
    await loop.resume();
    await loop.until('at work', ({ state }) => state === 'running');
    await save(loop, 'event-hub-intake.paused-and-resumed');
  },
  'feed-tail.alarm': async (workflows) => {
    const first = turns<FeedTurn>({ ...FEED, state: 'no-feed', reason: 'not enabled' });
    let begun = 0;
    await using loop = await workflows.start('feedTail', [LOOP], {
      tailFeed: async () => {
        begun += 1;
        if (begun === 1) return await first();
        const details = [{ consequence: 'pause' }];
        throw ApplicationFailure.create({
          type: 'ISTHMUS_FEED_CORRUPT',
          message: 'log/00',
          nonRetryable: true,
          details,
        });
      },
    });
    await loop.until('at rest', ({ state }) => state === 'waiting');
    await loop.handle.signal('wake');
    await loop.until('in alarm', ({ state }) => state === 'alarm');
    await save(loop, 'feed-tail.alarm');
  },
  'feed-tail.rewound-and-skipped': async (workflows) => {
    const block = { chunk: 'log/00/00000.avro', offset: 4096 };
    const corrupt: FeedTurn = { ...FEED, state: 'corrupt', reason: 'a block is damaged', corrupt: block };
    await using loop = await workflows.start('feedTail', [LOOP], {
      tailFeed: turns({ ...FEED, restSeconds: 60 }, { ...FEED, restSeconds: 60 }, corrupt),
      rewindFeed: async () => SPOT,
      skipFeedBlock: async () => ({ from: 4096, to: 8192 }),
    });
    await loop.until('at rest', (progress) => progress.turns === 1 && progress.state === 'waiting');
    await loop.update(REWIND, { secondsAgo: 3600, reason: 'to be sure' });
    await loop.until('at rest again', (progress) => progress.turns === 2 && progress.state === 'waiting');
    await loop.handle.signal(WAKE);
    await loop.until('in alarm', ({ state }) => state === 'alarm');
    await loop.update(SKIP, { ...block, reason: 'it is damaged' });
    await loop.resume();
    await loop.until('at work', ({ state }) => state === 'running');
    await save(loop, 'feed-tail.rewound-and-skipped');
  },
  'replay.paused-and-complete': async (workflows) => {
    let begun = 0;
    await using job = await workflows.start('replay', [{ federation: 'lake', from: '2026-11-21' }], {
      replayFeed: async () => {
        begun += 1;
        if (begun === 2) return await standing();
        return { done: begun === 3, at: SPOT, ...REPLAYED };
      },
    });
    await job.until('at its second turn', () => begun === 2);
    await job.pause('house move');
    await job.resume();
    await job.handle.result();
    await save(job, 'replay.paused-and-complete');
  },
  'look.three-at-once': async (workflows) => {
    await using loop = await workflows.start('look', [LOOP], {
      answerLooks: turns({ answered: 3, pending: 0 }),
      sweepIncarnations: turns({ swept: 5 }),
      workSubtrees: turns({ gone: 7, directories: 1 }),
    });
    await loop.until('at its second turn', (progress) => progress.turns === 1);
    await save(loop, 'look.three-at-once');
  },
  'stub-dispatch.turns': async (workflows) => {
    const turn = { written: 4, removed: 1, unchanged: 0, failed: 0, pending: 0 };
    await using loop = await workflows.start('stubDispatch', [{ ...LOOP, sink: 'vast' }], {
      dispatchStubs: turns(turn),
    });
    await loop.until('at its second turn', (progress) => progress.turns === 1);
    await save(loop, 'stub-dispatch.turns');
  },
  'reconcile.complete': async (workflows) => {
    await run(workflows, 'reconcile', { federation: 'lake', judge: 'auto' }, 'reconcile.complete');
  },
  'reconcile.wished': async (workflows) => {
    const [bad, good] = ['inventory/bad', 'inventory/good'].map((manifest) => ({ judge: 'inventory', manifest }));
    await using job = await workflows.start('reconcile', [{ federation: 'lake' }], {
      ...RECONCILE,
      prepareReconcile: async ({ manifest }) => {
        if (manifest === 'inventory/good') return { runId: 7, judge: 'inventory' };
        const details = [{ consequence: 'give-up' }];
        throw ApplicationFailure.create({ type: 'ISTHMUS_USAGE', message: 'bad', nonRetryable: true, details });
      },
    });
    await job.handle.signal(WISH, good);
    await job.handle.signal(WISH, bad);
    await job.handle.result();
    await save(job, 'reconcile.wished');
  },
  'reconcile.parked-and-approved': async (workflows) => {
    const plan: ReconcilePlan = {
      ...{ runId: 7, judge: 'listing', scope: '', waitingSince: 0, tripped: ['it lacks 2 of 3 live names'] },
      ...{ live: 3, creates: 0, updates: 0, deletes: 2, elsewhere: 0 },
      prefixes: [{ prefix: 'lake/a/', names: 2, examples: ['lake/a/1'] }],
    };
    let decided = false;
    await using job = await workflows.start('reconcile', [{ federation: 'lake', judge: 'listing' }], {
      ...RECONCILE,
      prepareReconcile: async ({ prefix }) => ({ runId: prefix === undefined ? 7 : 8, judge: 'listing' }),
      // Long enough for a glance.
      stageReconcile: async () => {
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        return { staged: 10 };
      },
      reconcileProgress: async () => ({ phase: 'staging', done: 5, of: 10, unit: 'rows', causes: {} }),
      judgeReconcile: async ({ runId }) => (runId === 7 && !decided ? { looks: 0, plan } : { looks: 2 }),
      decideReconcile: async () => {
        decided = true;
        return { decided: 'decided' };
      },
      undoReconcile: async ({ runId }) => ({ runId, looked: 2, restored: 1, gone: 1, unanswered: 0, goneNames: [] }),
    });
    await job.until('parked', ({ state }) => state === 'approval');
    await job.update(ASK, { judge: 'listing', prefix: 'lake/b/' });
    await job.until('parked again', ({ state }) => state === 'approval');
    await job.pause('house move');
    await job.resume();
    await job.handle.signal(WISH, { undo: 6 });
    await job.until('parked still', ({ state, totals }) => state === 'approval' && totals.restored === 1);
    await job.update(DECIDE, { run: 7, decision: 'approved', who: 'ada' });
    await job.handle.result();
    await save(job, 'reconcile.parked-and-approved');
  },
  'judge-sink.watched': async (workflows) => {
    const job = { federation: 'lake', sink: 'vast', approved: true };
    await using judge = await workflows.start('judgeSink', [job], {
      prepareJudgeSink: async () => ({ runId: 9 }),
      // Long enough for a glance.
      judgeSink: async () => {
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        const counts = { files: 3, live: 3, repaired: 1, open: 0, waiting: 0 };
        return { runId: 9, sink: 'vast', outcome: 'complete', drift: { 'stub-missing': 1 }, ...counts };
      },
      reconcileProgress: async () => ({ phase: 'walking the sink', done: 3, unit: 'files', causes: {} }),
    });
    await judge.handle.result();
    await save(judge, 'judge-sink.watched');
  },
  'scheduled-judge-sink.started': async (workflows) => {
    const input = { federation: 'lake', account: 'lake', sink: 'vast' };
    await run(workflows, 'scheduledJudgeSink', input, 'scheduled-judge-sink.started');
    await workflows.temporal.client.workflow
      .getHandle(workflowIds.judgeSink('lake', 'vast'))
      .terminate()
      .catch(() => undefined);
  },
  'scheduled-reconcile.started': async (workflows) => {
    const input = { federation: 'lake', account: 'lake' };
    await run(workflows, 'scheduledReconcile', input, 'scheduled-reconcile.started');
    await workflows.temporal.client.workflow
      .getHandle(workflowIds.reconcile('lake'))
      .terminate()
      .catch(() => undefined);
  },
  'hydrate.complete': async (workflows) => {
    await run(workflows, 'hydrate', { federation: 'lake', prefix: 'a/', requestId: 'r' }, 'hydrate.complete');
  },
  'maintenance.complete': async (workflows) => {
    await run(workflows, 'maintenance', { federation: 'lake' }, 'maintenance.complete');
  },
};

async function run(workflows: TestWorkflows, type: WorkflowType, input: unknown, name: string): Promise<void> {
  await using job = await workflows.start(type, [input], {
    ...RECONCILE,
    hydrateFiles: async () => ({ files: 1, already: 0, bytes: 3, failed: 0, failures: [] }),
    purgeRetention: async () => ({ tombstones: 1, journal: 2, runs: 3 }),
  });
  await job.handle.result();
  await save(job, name);
}

async function save({ handle }: RunningWorkflow, name: string): Promise<void> {
  const text = historyToJSON(await handle.fetchHistory());
  // Whoever recorded it is of no interest to a replay.
  const history = JSON.parse(text.replaceAll(hostname(), 'host').replaceAll(process.cwd(), '.')) as {
    events: unknown[];
  };
  await writeFile(new URL(`./${name}.history.json`, import.meta.url), `${JSON.stringify(history, undefined, 1)}\n`);
  process.stdout.write(`${name}: ${history.events.length} events\n`);
}

const workflows = await testWorkflows();
try {
  const wanted = process.argv.slice(2);
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (wanted.length === 0 || wanted.includes(name)) await scenario(workflows);
  }
} finally {
  await workflows[Symbol.asyncDispose]();
}
process.exit();
