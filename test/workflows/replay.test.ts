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
          'feed-tail',
          'hydrate',
          'look',
          'maintenance',
          'reconcile',
          'replay',
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

  it('of another workflow is refused: the replay is a judge', async () => {
    const text = await readFile(new URL('hydrate.complete.history.json', FOLDER), 'utf8');
    const history: unknown = JSON.parse(text.replaceAll('"hydrateFiles"', '"purgeRetention"'));
    await expect(Worker.runReplayHistory({ workflowBundle: await testBundle() }, history)).rejects.toThrow(
      /Nondeterminism|TMPRL1100/,
    );
  });
});
