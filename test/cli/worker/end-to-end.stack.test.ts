import { execFile } from 'node:child_process';
import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../../infra/local/stack.ts';
import { controlOutput } from '../../../schema/outputs/control.ts';
import { hydrateOutput } from '../../../schema/outputs/hydrate.ts';
import { reconcileOutput } from '../../../schema/outputs/reconcile.ts';
import { statusOutput } from '../../../schema/outputs/status.ts';
import { verifyOutput } from '../../../schema/outputs/verify.ts';
import { testStack } from '../../support/stack.ts';

const LAUNCHER = fileURLToPath(new URL('../../../cli/isthmus.mjs', import.meta.url));
const run = promisify(execFile);
/** The machine may be busy; what is promised on a quiet one is measured by the demo. */
const PATIENCE = { timeout: 200_000, interval: 200 };

let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ worker: true });
}, 600_000);
afterAll(() => stack.stop());

/** The last line that a command prints with `--json`. */
async function isthmus(...args: string[]): Promise<unknown> {
  const env = { ...process.env, ...stack.env };
  const { stdout } = await run(process.execPath, [LAUNCHER, ...args, '--json'], { env, cwd: '/' });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}

function container(name: string) {
  return BlobServiceClient.fromConnectionString(stack.env.AZURE_STORAGE_CONNECTION_STRING ?? '').getContainerClient(
    name,
  );
}

const stubOf = (name: string) => path.join(stack.env.ISTHMUS_VAST_ROOT ?? '', name);
const sizeOf = async (name: string) => (await lstat(stubOf(name)).catch(() => undefined))?.size;

describe('a worker beside the embedded stack', () => {
  it('turns a blob that a real client wrote into a stub, and follows it to its end', async () => {
    const lake = container('lake');
    await lake.create();
    await lake.getBlockBlobClient('in/a.txt').upload('hello', 5);
    await expect.poll(() => sizeOf('lake/in/a.txt'), PATIENCE).toBe(5);
    await lake.getBlockBlobClient('in/a.txt').upload('hello again', 11);
    await expect.poll(() => sizeOf('lake/in/a.txt'), PATIENCE).toBe(11);
    await lake.getBlockBlobClient('in/a.txt').delete();
    await expect.poll(() => sizeOf('lake/in/a.txt'), PATIENCE).toBeUndefined();
  });

  it('settles, and says how everything stands', async () => {
    await container('lake').getBlockBlobClient('in/b.txt').upload('bytes', 5);
    const status = statusOutput.parse(await isthmus('status', '--wait', '--timeout', '200'));
    expect(status).toMatchObject({ settled: true, moving: [], alarms: [], index: { live: 1, stubDue: 0 } });
    expect(status.workflows?.map(({ source, state }) => [source, state])).toEqual(
      expect.arrayContaining([
        ['trigger', 'running'],
        ['feed', 'running'],
        ['look', 'running'],
        ['stub:vast', 'running'],
      ]),
    );
  });

  it('hydrates a blob and is judged to agree', async () => {
    const hydrated = hydrateOutput.parse(await isthmus('hydrate', 'lake/in/b.txt'));
    expect(hydrated).toMatchObject({ files: 1, bytes: 5, failed: 0 });
    expect(await readFile(stubOf('lake/in/b.txt'), 'utf8')).toBe('bytes');
    const reconciled = reconcileOutput.parse(await isthmus('reconcile', '--judge', 'listing'));
    // Whether it agrees or fills what no event carries depends on who told of the blob last: a look or the feed.
    expect(reconciled).toMatchObject({ judge: 'listing', outcome: 'complete', listed: 1, looks: 0, missing: 0 });
    expect(reconciled.agreed + reconciled.filled).toBe(1);
    expect(verifyOutput.parse(await isthmus('verify'))).toMatchObject({ agree: true, source: 1, index: 1, sink: 1 });
  });

  it('pauses and resumes every source with a reason that status shows', async () => {
    const paused = controlOutput.parse(await isthmus('pause', '--all', '--reason', 'house move'));
    expect(new Set(paused.changed.map(({ state }) => state))).toEqual(new Set(['paused']));
    await container('lake').getBlockBlobClient('in/c.txt').upload('waits', 5);
    const status = statusOutput.parse(await isthmus('status'));
    expect(status.workflows?.filter(({ reason }) => reason === 'house move')).toHaveLength(5);
    expect(await sizeOf('lake/in/c.txt')).toBeUndefined();
    await isthmus('resume', '--all');
    await expect.poll(() => sizeOf('lake/in/c.txt'), PATIENCE).toBe(5);
  });

  it('stops by itself when it is asked to, and another takes over', async () => {
    const before = stack.pid('worker');
    stack.kill('worker', 'SIGTERM');
    await expect.poll(() => stack.pid('worker') !== before && stack.isUp('worker'), PATIENCE).toBe(true);
    const log = await readFile(path.join(stack.state, 'logs', 'worker.log'), 'utf8');
    expect(log).toContain('The worker stops.');
    expect(log).not.toContain('shutdown period');
    await container('lake').getBlockBlobClient('in/d.txt').upload('after', 5);
    await expect.poll(() => sizeOf('lake/in/d.txt'), PATIENCE).toBe(5);
  });

  it('shows its metrics, each with a description and a name that says what it is', async () => {
    const metrics = async () => (await fetch(`${stack.env.ISTHMUS_METRICS_URL}/metrics`)).text();
    // The worker looks around every few seconds, first a while after its start.
    const seen = /isthmus_source_silent_since_timestamp_seconds\{source="feed",federation="local"\} \d/;
    await expect.poll(metrics, PATIENCE).toMatch(seen);
    const text = await metrics();
    const names = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
    expect(names).toEqual(expect.arrayContaining(['isthmus_source_lag_seconds', 'isthmus_source_records_total']));
    const counted = 'total|seconds|bytes|entries|names|records|messages|letters|blocks|gaps|runs|findings';
    const told = 'info|readable|distrusted|slowed|raised|failed';
    expect(names.filter((name) => !new RegExp(`^isthmus(_[a-z]+)+_(${counted}|${told})$`).test(name ?? ''))).toEqual(
      [],
    );
    expect(text).toMatch(/isthmus_feed_readable\{reason="none",federation="local"\} 1/);
  });
});
