/**
 * Sees every alert of who judges fire in a real Prometheus, on a stack of its own with a worker, and end again where it
 * can: what is found, waits, fails, hangs or does not come is real; only what takes hours is told to be older.
 *
 * npm run alarms:judges -- [--only overdue,drift,stop,repeated,failed,stuck]
 *
 * Exits 1 where an alert did not fire in time, or did not end.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { BlobServiceClient } from '@azure/storage-blob';
import { sql } from 'kysely';
import { findPrometheus } from '../../infra/local/find-prometheus.ts';
import { startStack } from '../../infra/local/stack.ts';
import { StorageControl } from '../../infra/local/storage/control-client.ts';
import { openIndex } from '../../schema/index/database.ts';
import { Prometheus } from './prometheus.ts';

const run = promisify(execFile);
const LAUNCHER = fileURLToPath(new URL('../../cli/isthmus.mjs', import.meta.url));
const WITHIN_MS = 200_000;
const SCENES = ['overdue', 'drift', 'stop', 'repeated', 'failed', 'stuck'] as const;
type Scene = (typeof SCENES)[number];
const BLOBS = 120;

const { values } = parseArgs({ options: { only: { type: 'string', default: SCENES.join() } } });
const scenes = SCENES.filter((scene) => values.only.split(',').includes(scene));
const say = (text: string): boolean => process.stdout.write(`${text}\n`);

const found = await findPrometheus({ onProgress: say });
if (found.path === undefined) throw new Error(`There is no Prometheus to be had: ${found.tried.join('; ')}`);
const folder = await mkdtemp(path.join(tmpdir(), 'isthmus-judges-'));
const stack = await startStack({ state: folder, ports: 'free', worker: true, fsync: false });
const env = { ...process.env, ...stack.env };
const control = new StorageControl(stack.env.ISTHMUS_CONTROL_URL ?? '');
const index = openIndex(stack.env.DATABASE_URL ?? '', { max: 2 });
const lake = BlobServiceClient.fromConnectionString(stack.env.AZURE_STORAGE_CONNECTION_STRING ?? '').getContainerClient(
  'lake',
);
const worker = new URL(stack.env.ISTHMUS_METRICS_URL ?? '').host;
const prometheus = await Prometheus.start(found.path, { folder: path.join(folder, 'prometheus'), worker });
let failed = false;

async function isthmus(...args: readonly string[]): Promise<string> {
  // Exit 1 is an answer.
  const { stdout } = await run(process.execPath, [LAUNCHER, ...args], { env }).catch(
    (error: { code?: unknown; stdout?: string; stderr?: string }) => {
      if (error.code === 1) return { stdout: error.stdout ?? '' };
      throw new Error(`isthmus ${args.join(' ')}: ${error.stderr}`);
    },
  );
  return stdout;
}

/** The federation as these scenes need it; the worker reads it when it starts. */
async function restart(change: (yaml: string) => string): Promise<void> {
  const file = env.ISTHMUS_CONFIG ?? '';
  await writeFile(file, change(await readFile(file, 'utf8')));
  const restarts = stack.restarts('worker');
  stack.kill('worker', 'SIGTERM');
  for (const until = Date.now() + 60_000; Date.now() < until; await sleep(250)) {
    if (stack.restarts('worker') > restarts && stack.isUp('worker')) return;
  }
  throw new Error('the worker did not start again');
}

/** Waits until the alert fires. */
async function fires(name: string): Promise<void> {
  const began = Date.now();
  for (;;) {
    const alert = (await prometheus.firing()).find((each) => each.name === name);
    if (alert !== undefined) {
      const labels = Object.entries(alert.labels).flatMap(([key, value]) =>
        key === 'severity' || key === 'federation' ? [] : [`${key}=${value}`],
      );
      say(`  ${name} fires after ${seconds(began)} (${labels.join(', ')}): ${alert.summary}`);
      return;
    }
    if (Date.now() - began > WITHIN_MS) break;
    await sleep(1_000);
  }
  failed = true;
  say(`  ${name} DID NOT FIRE within ${seconds(began)}`);
}

async function ends(name: string): Promise<void> {
  const began = Date.now();
  while ((await prometheus.firing()).some((each) => each.name === name)) {
    if (Date.now() - began > WITHIN_MS) {
      failed = true;
      say(`  ${name} DID NOT END within ${seconds(began)}`);
      return;
    }
    await sleep(1_000);
  }
  say(`  ${name} ended after ${seconds(began)}`);
}

const seconds = (began: number) => `${((Date.now() - began) / 1000).toFixed(0)} s`;
const blobs = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `drift/blob-${from + at}`);
const upload = (names: readonly string[]) =>
  Promise.all(names.map((name) => lake.getBlockBlobClient(name).upload('x', 1)));
const remove = (names: readonly string[]) => Promise.all(names.map((name) => lake.deleteBlob(name)));

/** The newest run that waits, as `isthmus reconcile plan` prints it. */
async function waitingRun(): Promise<string> {
  const { rows } = await sql<{ id: number }>`
    select id from runs where waiting_since is not null order by id desc limit 1`.execute(index.db);
  return String(rows[0]?.id ?? 0);
}

const play: Readonly<Record<Scene, () => Promise<void>>> = {
  async overdue() {
    // Each 15 s, and no report is ever written.
    await restart((yaml) => yaml.replace(/^( {2}inventory:\n {4}container: \w+\n)/m, '$1    everyHours: 0.004\n'));
    await fires('IsthmusReconcileOverdue');
    await fires('IsthmusSinkJudgementOverdue');
    await restart((yaml) => yaml.replace('    everyHours: 0.004\n', '').replace('sinksEveryHours: 0.004, ', ''));
    await control.runInventory();
    await isthmus('reconcile', '--judge', 'inventory');
    await isthmus('reconcile', 'sink', 'vast');
    await ends('IsthmusReconcileOverdue');
    await ends('IsthmusSinkJudgementOverdue');
  },
  async drift() {
    await upload(blobs(0, BLOBS));
    await isthmus('reconcile');
    await fires('IsthmusDriftAboveLimit');
    await isthmus('reconcile');
    await ends('IsthmusDriftAboveLimit');
  },
  async stop() {
    await upload(blobs(0, BLOBS));
    await isthmus('reconcile');
    await remove(blobs(0, BLOBS / 2));
    await isthmus('reconcile');
    await fires('IsthmusDeletesWaitForApproval');
    await isthmus('reconcile', 'approve', await waitingRun(), '--reason', 'it was meant');
    await ends('IsthmusDeletesWaitForApproval');
  },
  async repeated() {
    await upload(blobs(0, BLOBS));
    await isthmus('reconcile');
    await remove(blobs(0, BLOBS / 2));
    for (let times = 0; times < 3; times++) {
      await isthmus('reconcile');
      await isthmus('reconcile', 'reject', await waitingRun(), '--reason', 'nobody knows');
    }
    await fires('IsthmusDriftRepeated');
    await upload(blobs(0, BLOBS / 2));
    await isthmus('reconcile');
    await ends('IsthmusDriftRepeated');
  },
  async failed() {
    // The account answers 503 to all, and the worker's patience is not waited for.
    await control.setFaults({ http: { error503Rate: 1 } });
    await isthmus('reconcile', '--no-wait');
    await fires('IsthmusReconcileFailed');
    await control.clearFaults();
    await ends('IsthmusReconcileFailed');
  },
  async stuck() {
    const { rows } = await sql<{ id: number }>`
      insert into runs (account_id, judge, prefix, started_at, moved_at, state)
      select id, 'listing', 'nowhere/', t - 3600000, t - 3600000, '{"phase": "compare"}'
      from accounts, (select (extract(epoch from now()) * 1000)::bigint as t) as now limit 1
      returning id`.execute(index.db);
    await fires('IsthmusReconcileStuck');
    await sql`delete from runs where id = ${rows[0]?.id}`.execute(index.db);
    await ends('IsthmusReconcileStuck');
  },
};

try {
  await lake.createIfNotExists();
  // A listing into an empty index finds no drift: all that it sees is new.
  await upload(['before.txt']);
  await isthmus('status', '--wait', '--timeout', '60');
  await isthmus('reconcile');
  // What is not told by triggers and feed is found by who judges alone.
  for (const source of ['service-bus', 'feed']) await isthmus('pause', source, '--reason', 'to see who judges alone');
  const limits = 'reconcile: { sinksEveryHours: 0.004, driftLimit: 50, stop: { percent: 1, names: 20 } }\n';
  await restart((yaml) => `${yaml}${limits}`);
  for (const scene of scenes) {
    say(scene);
    await play[scene]();
  }
} catch (error) {
  failed = true;
  say(`It broke: ${String(error)}. The state is kept in ${folder}.`);
} finally {
  await prometheus[Symbol.asyncDispose]();
  await index.close();
  await stack.stop();
  if (!failed) await rm(folder, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
