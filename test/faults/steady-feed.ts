/**
 * A steady load for an hour with triggers off: whatever reaches the index came by the feed. Measured for every
 * change: from "its record is readable" to "it is in the index", and the worker's memory.
 *
 * npm run steady -- [--minutes 60] [--rate 5] [--shards 1] [--segment-minutes 15] [--max 5] [--json]
 *
 * Exits 1 where one in a hundred took longer than 2 s, one longer than --max seconds, a change never came, a trigger
 * slipped through, the worker was started again, or its memory grew.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { BlobServiceClient } from '@azure/storage-blob';
import { latenciesOf } from '../../bench/feed/latencies.ts';
import { type Arrival, LatencyProbe } from '../../bench/feed/latency-probe.ts';
import { startStack } from '../../infra/local/stack.ts';
import { connectionStringOn, FEED_CONTAINER } from '../../infra/local/storage/account.ts';
import { StorageControl } from '../../infra/local/storage/control-client.ts';
import { type Index, openIndex } from '../../schema/index/database.ts';
import { seededRandom } from '../support/random.ts';
import { judgeMemory, residentMiB } from './memory-watch.ts';
import { startSteadyLoad } from './steady-load.ts';

const MINUTE = 60_000;
const LIMIT_SECONDS = 2;
const DRAINED_WITHIN_MS = 30_000;
/** A loop that found no feed yet, or lists the account first, takes its time. */
const BEGUN_WITHIN_MS = 120_000;
const AFTER_LISTING_MS = 5_000;
const MEMORY_EVERY_MS = 5_000;
const CONTAINER = 'steady';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    rate: { type: 'string', default: '5' },
    shards: { type: 'string', default: '1' },
    'segment-minutes': { type: 'string', default: '15' },
    max: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
/** Whether the listing that an empty index begins with is over. */
async function isListed({ db }: Index): Promise<boolean> {
  const runs = await db.selectFrom('runs').select('ended_at').execute();
  return runs.length > 0 && runs.every((run) => run.ended_at !== null);
}

/** With --json, standard output holds the summary alone. */
const say = (text: string): boolean => (values.json ? process.stderr : process.stdout).write(`${text}\n`);

const folder = await mkdtemp(path.join(tmpdir(), 'isthmus-steady-'));
const stack = await startStack({
  state: folder,
  ports: 'free',
  worker: true,
  feed: { segmentMs: Number(values['segment-minutes']) * MINUTE, flushMs: 1_000, shards: Number(values.shards) },
});
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());
let good = false;
try {
  const control = new StorageControl(stack.env.ISTHMUS_CONTROL_URL ?? '');
  await control.setFaults({ triggers: { dropRate: 1 } });
  const container = BlobServiceClient.fromConnectionString(
    stack.env.AZURE_STORAGE_CONNECTION_STRING ?? '',
  ).getContainerClient(CONTAINER);
  await container.create();
  // Past the front, so that the probe's own requests are not in the reader's way.
  const azurite = BlobServiceClient.fromConnectionString(connectionStringOn(stack.ports.azurite));
  const index = openIndex(stack.env.DATABASE_URL ?? '', { max: 2, applicationName: 'isthmus-probe' });
  await using _index = { [Symbol.asyncDispose]: () => index.close() };
  await using probe = new LatencyProbe({
    feed: azurite.getContainerClient(FEED_CONTAINER),
    index,
    container: CONTAINER,
    everyMs: 100,
  });
  // What comes before the loop tails is no steady state: measured from when a first change has come through.
  await container.getBlockBlobClient('first').upload('x', 1);
  for (const until = Date.now() + BEGUN_WITHIN_MS; probe.take().length === 0; await sleep(100)) {
    if (Date.now() > until) throw new Error(`the first change did not come; probe: ${probe.lastError ?? 'no error'}`);
  }
  // A change around the first listing is looked at again once M (3 s in the stack) has passed: no matter of the feed.
  for (const until = Date.now() + BEGUN_WITHIN_MS; !(await isListed(index)) && Date.now() < until; await sleep(100));
  await sleep(AFTER_LISTING_MS);
  const memory: number[] = [];
  const memoryTimer = setInterval(() => {
    const resident = residentMiB(stack.pid('worker'));
    if (resident !== undefined) memory.push(resident);
  }, MEMORY_EVERY_MS);
  const all: Arrival[] = [];
  const began = Date.now();
  const load = startSteadyLoad(container, Number(values.rate), seededRandom(Number(values.seed)));
  for (let minute = 1; minute <= minutes && !stopped.signal.aborted; minute++) {
    const rest = began + minute * MINUTE - Date.now();
    await sleep(Math.max(0, rest), undefined, { signal: stopped.signal }).catch(() => undefined);
    const taken = probe.take();
    all.push(...taken);
    const { count, p50, p99, max } = latenciesOf(taken.map(({ ms }) => ms));
    const trouble = probe.lastError === undefined ? '' : `; probe: ${probe.lastError}`;
    say(
      `minute ${minute}: ${count} changes, p50 ${p50} s, p99 ${p99} s, max ${max} s; ` +
        `worker ${Math.round(memory.at(-1) ?? 0)} MiB; ${probe.waiting.length} waiting${trouble}`,
    );
  }
  await load.stop();
  const { created, overwritten, deleted, failed } = load.counts;
  const changes = created + overwritten + deleted;
  for (const until = Date.now() + DRAINED_WITHIN_MS; Date.now() < until; await sleep(100)) {
    if (probe.seen > changes && probe.waiting.length === 0) break;
  }
  clearInterval(memoryTimer);
  all.push(...probe.take());
  const latency = latenciesOf(all.map(({ ms }) => ms));
  const worker = judgeMemory(memory);
  const { published } = await control.state();
  const lost = Math.max(0, changes - all.length);
  const restarts = stack.restarts('worker');
  good =
    changes > 0 &&
    latency.p99 <= LIMIT_SECONDS &&
    latency.max <= Number(values.max) &&
    lost === 0 &&
    published === 0 &&
    restarts === 0 &&
    worker.flat !== false;
  const summary = {
    minutes: Math.round((Date.now() - began) / MINUTE),
    rate: Number(values.rate),
    shards: Number(values.shards),
    changes: { created, overwritten, deleted, failed },
    latencySeconds: latency,
    overLimit: all.filter(({ ms }) => ms > LIMIT_SECONDS * 1000).length,
    slowest: all
      .toSorted((a, b) => b.ms - a.ms)
      .slice(0, 5)
      .map(({ ms, name, readableAt }) => ({ seconds: ms / 1000, name, readable: new Date(readableAt).toISOString() })),
    lost,
    waiting: probe.waiting.slice(0, 10),
    triggersPublished: published,
    workerRestarts: restarts,
    workerMemory: worker,
    good,
  };
  process.stdout.write(`${JSON.stringify(summary, undefined, values.json ? undefined : 2)}\n`);
} catch (error) {
  say(`It broke: ${String(error)}`);
} finally {
  await stack.stop();
  if (good) await rm(folder, { recursive: true, force: true });
  else say(`The state and the logs are kept in ${folder}.`);
}
process.exitCode = good ? 0 : 1;
