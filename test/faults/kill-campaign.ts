/**
 * Kills the worker, Postgres and Temporal with SIGKILL at random moments under a steady load, then asks
 * `isthmus verify` whether anything was lost and `isthmus status --wait` whether anything is stuck.
 *
 * npm run faults -- [--kills 20] [--seed 1]
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { BlobServiceClient } from '@azure/storage-blob';
import { startStack } from '../../infra/local/stack.ts';
import { seededRandom } from '../support/random.ts';
import { startLoad } from './load.ts';

const run = promisify(execFile);
const LAUNCHER = fileURLToPath(new URL('../../cli/isthmus.mjs', import.meta.url));
const VICTIMS = ['worker', 'postgres', 'temporal'] as const;

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
});
const kills = Number(values.kills);
const random = seededRandom(Number(values.seed));
const say = (text: string): boolean => process.stdout.write(`${text}\n`);

/** Only what is up can be killed, and only what is up can be judged. */
async function untilUp(victim: string): Promise<void> {
  for (const until = Date.now() + 60_000; !stack.isUp(victim); await sleep(50)) {
    if (Date.now() > until) throw new Error(`${victim} did not come back within a minute`);
  }
}

const folder = await mkdtemp(path.join(tmpdir(), 'isthmus-faults-'));
const stack = await startStack({
  state: folder,
  ports: 'free',
  worker: true,
  feed: { segmentMs: 60_000, flushMs: 500 },
});
let failed = true;
try {
  const blobs = BlobServiceClient.fromConnectionString(stack.env.AZURE_STORAGE_CONNECTION_STRING ?? '');
  const load = await startLoad(blobs, 60, random);
  const order = VICTIMS.flatMap((victim) => Array<(typeof VICTIMS)[number]>(kills).fill(victim))
    .map((victim) => ({ victim, at: random() }))
    .sort((a, b) => a.at - b.at);
  for (const [at, { victim }] of order.entries()) {
    await sleep(500 + random() * 2_500);
    await untilUp(victim);
    say(`${at + 1}/${order.length}: SIGKILL of ${victim} (${stack.pid(victim)})`);
    stack.kill(victim, 'SIGKILL');
  }
  const counts = await load.stop();
  for (const victim of VICTIMS) await untilUp(victim);
  say(`${counts.writes} writes, ${counts.deletes} deletes, ${counts.failed} failed; waiting for the dust to settle`);
  const env = { ...process.env, ...stack.env };
  const settled = await run(process.execPath, [LAUNCHER, 'status', '--wait', '--timeout', '180', '--json'], { env });
  say(settled.stdout.trim());
  const verified = await run(process.execPath, [LAUNCHER, 'verify', '--json'], { env });
  say(verified.stdout.trim());
  failed = false;
  say(`${order.length} kills: source, index and sink agree, and nothing is stuck.`);
} catch (error) {
  const { stdout, stderr } = error as { stdout?: string; stderr?: string };
  say(`It broke: ${String(error)}\n${stdout ?? ''}${stderr ?? ''}\nThe state is kept in ${folder}.`);
} finally {
  await stack.stop();
  if (!failed) await rm(folder, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
