import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Worker } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { testBundle } from './harness.ts';

const FOLDER = new URL('.', import.meta.url);
const recorded = readdirSync(FOLDER).filter((name) => name.endsWith('.history.json'));

describe('a recorded history', () => {
  it('is kept for every workflow', () => {
    const types = new Set(recorded.map((name) => name.split('.')[0]));
    expect([...types].sort()).toEqual(
      [
        ...[
          'event-hub-intake',
          'feed-tail',
          'hydrate',
          'judge-sink',
          'look',
          'maintenance',
          'reconcile',
          'replay',
          'scheduled-judge-sink',
          'scheduled-reconcile',
          'stub-dispatch',
        ],
        'trigger-intake',
      ].sort(),
    );
  });

  it.each(recorded)('%s is replayed by the workflow code as it is', async (name) => {
    const history: unknown = JSON.parse(await readFile(new URL(name, FOLDER), 'utf8'));
    await Worker.runReplayHistory({ workflowBundle: await testBundle() }, history);
  });

  // 30 February was once taken for 2 March: what was let in then is not refused on replay, which would undo it.
  it.each([
    [
      'feed-tail.rewound-and-skipped',
      { secondsAgo: 3600, reason: 'to be sure' },
      { to: '2026-02-30', reason: 'to be sure' },
    ],
    [
      'replay.paused-and-complete',
      { federation: 'lake', from: '2026-11-21' },
      { federation: 'lake', from: '2026-02-30' },
    ],
  ])('%s of when any day of a month was taken is replayed too', async (name, given, once) => {
    const text = await readFile(new URL(`${name}.history.json`, FOLDER), 'utf8');
    const [now, before] = [given, once].map((input) => Buffer.from(JSON.stringify(input)).toString('base64'));
    expect(text).toContain(now);
    const history: unknown = JSON.parse(text.replace(now ?? '', before ?? ''));
    await Worker.runReplayHistory({ workflowBundle: await testBundle() }, history);
  });

  it('of another workflow is refused: the replay is a judge', async () => {
    const text = await readFile(new URL('hydrate.complete.history.json', FOLDER), 'utf8');
    const history: unknown = JSON.parse(text.replaceAll('"hydrateFiles"', '"purgeRetention"'));
    await expect(Worker.runReplayHistory({ workflowBundle: await testBundle() }, history)).rejects.toThrow(
      /Nondeterminism|TMPRL1100/,
    );
  });
});
