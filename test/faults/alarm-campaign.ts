/**
 * How long it takes, by the clock on the wall, until a feed that nobody takes from any more is told: by
 * `isthmus status`, by the worker's log, and by what the alert rules compare.
 *
 * npm run alarms -- [--only killed,hung,stalled,refused]
 *
 * Exits 1 where anything took a minute or more, or rang before.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { BlobServiceClient } from '@azure/storage-blob';
import { startStack } from '../../infra/local/stack.ts';
import { StorageControl } from '../../infra/local/storage/control-client.ts';
import { statusOutput } from '../../schema/outputs/status.ts';

const run = promisify(execFile);
const LAUNCHER = fileURLToPath(new URL('../../cli/isthmus.mjs', import.meta.url));
const LIMIT_SECONDS = 60;
/** Past the limit, so that what is late is seen and told as such. */
const GIVE_UP_SECONDS = 90;
const SCENES = ['killed', 'hung', 'stalled', 'refused'] as const;
type Scene = (typeof SCENES)[number];

const { values } = parseArgs({ options: { only: { type: 'string', default: SCENES.join() } } });
const scenes = SCENES.filter((scene) => values.only.split(',').includes(scene));
const say = (text: string): boolean => process.stdout.write(`${text}\n`);

/** What is seen of the feed from outside; each undefined until it rings, then seconds from when it began. */
interface Rung {
  /** When the first status that told it was asked for: how long a command takes to start is the machine's affair. */
  status?: number;
  answered?: number;
  kinds?: string;
  log?: number;
  /** The worker's own gauges, held against another clock; `absent` where it does not answer. */
  metrics?: number;
  metric?: string;
}

const folder = await mkdtemp(path.join(tmpdir(), 'isthmus-alarms-'));
const stack = await startStack({ state: folder, ports: 'free', feed: { segmentMs: 3_600_000, flushMs: 500 } });
const env = { ...process.env, ...stack.env };
const control = new StorageControl(stack.env.ISTHMUS_CONTROL_URL ?? '');
const lake = BlobServiceClient.fromConnectionString(stack.env.AZURE_STORAGE_CONNECTION_STRING ?? '').getContainerClient(
  'lake',
);
const workerLog = path.join(folder, 'logs', 'worker-alone.log');
let worker: ChildProcess | undefined;
let failed = false;

/** Not one of the stack's children: those are started again when they die. */
function startWorker(): void {
  const log = openSync(workerLog, 'w');
  worker = spawn(process.execPath, [LAUNCHER, 'worker', '--config', env.ISTHMUS_CONFIG ?? ''], {
    env: { ...env, ISTHMUS_LOG_LEVEL: 'info' },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
}

async function endWorker(): Promise<void> {
  const ended = worker;
  worker = undefined;
  if (ended === undefined || ended.exitCode !== null || ended.signalCode !== null) return;
  ended.kill('SIGKILL');
  await new Promise((resolve) => ended.once('exit', resolve));
}

async function feedAlarms(): Promise<readonly string[]> {
  const { stdout } = await run(process.execPath, [LAUNCHER, 'status', '--json'], { env });
  const { alarms } = statusOutput.parse(JSON.parse(stdout));
  return alarms.filter(({ about, kind }) => about === 'feed' && kind !== 'workflow').map(({ kind }) => kind);
}

/** When the worker said so, by the log's own time. One that comes back after an outage says so too; `since` leaves that out. */
async function logAlarms(since: number): Promise<readonly number[]> {
  const lines = (await readFile(workerLog, 'utf8')).split('\n').filter((line) => line.includes('Alarm: feed'));
  return lines.map((line) => Date.parse((JSON.parse(line) as { time: string }).time)).filter((time) => time > since);
}

/** What `infra/alerts/isthmus.rules.yaml` would make of the gauges now; `absent` is `up == 0`. */
async function metricAlarm(): Promise<string | undefined> {
  const scrape = await fetch(`${env.ISTHMUS_METRICS_URL}/metrics`, { signal: AbortSignal.timeout(5_000) })
    .then((answer) => answer.text())
    .catch(() => undefined);
  if (scrape === undefined) return 'absent';
  const of = (name: string) =>
    Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(scrape)?.[1] ?? Number.NaN);
  const now = Date.now() / 1000;
  if (/^isthmus_feed_readable\{[^}]*\} 0$/m.test(scrape)) return 'unreadable';
  if (now - of('isthmus_feed_last_poll_timestamp_seconds') > of('isthmus_feed_poll_limit_seconds'))
    return 'poll-stopped';
  const silent = /^isthmus_source_silent_since_timestamp_seconds\{source="feed"[^}]*\} (\S+)$/m.exec(scrape)?.[1];
  return Number(silent) > 0 && now - Number(silent) > 50 ? 'silent' : undefined;
}

async function begin(scene: Scene): Promise<void> {
  if (scene === 'killed') worker?.kill('SIGKILL');
  else if (scene === 'hung') worker?.kill('SIGSTOP');
  else await control.setFaults({ feed: scene === 'stalled' ? { stall: true } : { refuse: true } });
}

/** Asks each of the three again and again, none held up by another, until everything that can ring has rung. */
async function watch(began: number, speaks: boolean): Promise<Rung> {
  const rung: Rung = {};
  const seconds = () => (Date.now() - began) / 1000;
  const until = async (rang: () => Promise<boolean>): Promise<void> => {
    while (seconds() < GIVE_UP_SECONDS && !(await rang())) await sleep(500);
  };
  await Promise.all([
    until(async () => {
      const asked = seconds();
      const kinds = await feedAlarms();
      if (kinds.length === 0) return false;
      Object.assign(rung, { status: asked, answered: seconds(), kinds: kinds.join('+') });
      return true;
    }),
    until(async () => {
      const metric = await metricAlarm();
      if (metric !== undefined) Object.assign(rung, { metrics: seconds(), metric });
      return metric !== undefined;
    }),
    until(async () => {
      const [first] = speaks ? await logAlarms(began) : [];
      if (first !== undefined) rung.log = (first - began) / 1000;
      return first !== undefined || !speaks;
    }),
  ]);
  return rung;
}

async function untilQuiet(): Promise<void> {
  for (const until = Date.now() + 120_000; ; await sleep(1_000)) {
    if ((await feedAlarms().catch(() => ['not yet'])).length === 0 && (await metricAlarm()) === undefined) return;
    if (Date.now() > until) throw new Error('the feed did not become quiet within two minutes');
  }
}

async function play(scene: Scene, at: number): Promise<void> {
  startWorker();
  if (at === 0) await lake.createIfNotExists();
  await lake.getBlockBlobClient(`before-${scene}`).upload('x', 1);
  await untilQuiet();
  const began = Date.now();
  await begin(scene);
  // There is news from now on.
  await lake.getBlockBlobClient(`after-${scene}`).upload('x', 1);
  const speaks = scene === 'stalled' || scene === 'refused';
  const { status, answered, kinds, log, metrics, metric } = await watch(began, speaks);
  const told = (value: number | undefined, how = '') => (value === undefined ? 'never' : `${value.toFixed(1)} s${how}`);
  say(
    `${scene.padEnd(8)} status ${told(status, ` (${kinds}, answered at ${answered?.toFixed(1)} s)`)}, metrics ${told(metrics, ` (${metric})`)}${speaks ? `, log ${told(log)}` : ''}`,
  );
  const all = speaks ? [status, metrics, log] : [status, metrics];
  if (all.some((value) => value === undefined || value >= LIMIT_SECONDS)) failed = true;
  await control.clearFaults();
  await endWorker();
}

try {
  for (const [at, scene] of scenes.entries()) await play(scene, at);
} catch (error) {
  failed = true;
  say(`It broke: ${String(error)}. The state is kept in ${folder}.`);
} finally {
  await endWorker();
  await stack.stop();
  if (!failed) await rm(folder, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
