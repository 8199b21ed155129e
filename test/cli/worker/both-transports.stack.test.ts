import { execFile } from 'node:child_process';
import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../../infra/local/stack.ts';
import { controlOutput } from '../../../schema/outputs/control.ts';
import { statusOutput } from '../../../schema/outputs/status.ts';
import { verifyOutput } from '../../../schema/outputs/verify.ts';
import { testStack } from '../../support/stack.ts';

const LAUNCHER = fileURLToPath(new URL('../../../cli/isthmus.mjs', import.meta.url));
const run = promisify(execFile);
/** The machine may be busy; what is promised on a quiet one is measured by the demo. */
const PATIENCE = { timeout: 200_000, interval: 200 };

let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ worker: true, triggers: 'both' });
}, 600_000);
afterAll(() => stack.stop());

/** The last line that a command prints with `--json`. */
async function isthmus(...args: string[]): Promise<unknown> {
  const env = { ...process.env, ...stack.env };
  const { stdout } = await run(process.execPath, [LAUNCHER, ...args, '--json'], { env, cwd: '/' });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}

const pause = async (source: string) =>
  controlOutput.parse(await isthmus('pause', source, '--reason', 'to see the others')).changed;
const status = async () => statusOutput.parse(await isthmus('status'));
const sizeOf = async (name: string) =>
  (await lstat(path.join(stack.env.ISTHMUS_VAST_ROOT ?? '', 'lake', name)).catch(() => undefined))?.size;

async function upload(name: string): Promise<void> {
  const service = BlobServiceClient.fromConnectionString(stack.env.AZURE_STORAGE_CONNECTION_STRING ?? '');
  const container = service.getContainerClient('lake');
  await container.createIfNotExists();
  await container.getBlockBlobClient(name).upload('hello', 5);
}

describe('a worker that takes triggers from Service Bus and from Event Hubs', () => {
  it('brings a blob by Event Hubs alone, and by Service Bus alone', async () => {
    await pause('feed');
    expect(await pause('service-bus')).toMatchObject([{ source: 'trigger', state: 'paused' }]);
    await upload('by-hub.txt');
    await expect.poll(() => sizeOf('by-hub.txt'), PATIENCE).toBe(5);
    await isthmus('resume', 'service-bus');
    expect(await pause('event-hubs')).toMatchObject([{ id: 'event-hub-intake/devstoreaccount1', state: 'paused' }]);
    await upload('by-bus.txt');
    await expect.poll(() => sizeOf('by-bus.txt'), PATIENCE).toBe(5);
  });

  it('9: says of each what of it nobody takes, and is paused by one word', async () => {
    const paused = await pause('triggers');
    expect(paused.map(({ source, state }) => [source, state])).toEqual([
      ['trigger', 'paused'],
      ['event-hubs', 'paused'],
    ]);
    await upload('later.txt');
    const behind = async () => (await status()).sources.map(({ source, behind: what }) => [source, what]);
    await expect.poll(behind, PATIENCE).toEqual(
      expect.arrayContaining([
        ['trigger', 'messages wait in the queue'],
        ['event-hubs', 'messages wait in the event hub'],
      ]),
    );
    expect((await status()).sources.find(({ source }) => source === 'event-hubs')).toMatchObject({
      state: 'paused',
      reason: 'to see the others',
    });
  });

  it('takes what waited in both, which changes nothing twice', async () => {
    await isthmus('resume', 'trigger');
    await isthmus('resume', 'feed');
    const settled = statusOutput.parse(await isthmus('status', '--wait', '--timeout', '200'));
    expect(settled).toMatchObject({ settled: true, alarms: [], index: { live: 3 } });
    expect(verifyOutput.parse(await isthmus('verify'))).toMatchObject({ agree: true, source: 3, index: 3, sink: 3 });
    const metrics = async () => (await fetch(`${stack.env.ISTHMUS_METRICS_URL}/metrics`)).text();
    for (const source of ['trigger', 'event-hubs']) {
      const seen = new RegExp(`isthmus_source_pages_total\\{source="${source}",federation="local"\\} [1-9]`);
      await expect.poll(metrics, PATIENCE).toMatch(seen);
    }
  });
});
