/** `npm run bench -- --help` says how it is used. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import getPort from 'get-port';
import { sql } from 'kysely';
import { StopSignals } from '../cli/dev/stop-signals.ts';
import { startPostgres } from '../infra/local/postgres.ts';
import { openIndex } from '../schema/index/database.ts';
import { migrateIndex } from '../schema/index/migrate.ts';
import { runApplyEvents } from './apply-events.ts';
import { runFeed } from './feed.ts';
import { runFeedTail } from './feed-tail.ts';
import { run as runFileView } from './file-view.ts';
import { type ReconcileBenchOptions, runReconcile } from './reconcile.ts';
import { runSubtree } from './subtree.ts';
import { runTriggers, type TriggersBenchOptions } from './triggers.ts';
import { run as runVerify } from './verify.ts';

const HELP = `npm run bench -- NAME [--json]

Each benchmark prints figures beside a baseline of the same run, since machines are noisy: read the ratios.
It has a Postgres of its own, or an empty database of one that runs already, as that one is set: --index URL.

  apply-events, feed-tail, file-view, verify
  feed       [--records N] [--shards K] [--feed DIR] [--sdk-records N] [--raw-records N]
  triggers   [--from service-bus|event-hubs] [--keys N] [--events N] [--burst N] [--offered N] [--warm-seconds S]
             [--offered-seconds S] [--receive-only N] [--one-by-one N]
  subtree    [--children N]
  reconcile  [--rows N] [--format csv|parquet] [--files ROWS] [--drift SHARE] [--listing-rows N] [--intake] [--flat]
             ROWS are those of one data file. A report of ten million rows is 2 GB in the temporary folder (TMPDIR), its
             index 5 GB; both go. --intake: triggers alone and beside a run. --flat: a tenth of the rows, too.
             Exits 1 where other drift was found than was planted.

Examples:
  npm run bench -- feed --json
  npm run bench -- reconcile --json
  npm run bench -- reconcile --rows 1000000 --format parquet --intake
  npm run bench -- reconcile --rows 1000000 --index postgres://localhost/bench
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean' },
    records: { type: 'string', default: '2000000' },
    shards: { type: 'string', default: '4' },
    /** A folder that keeps the feed for the next run. */
    feed: { type: 'string' },
    /** The package is slow, and its rate does not change: a part of the feed tells it. */
    'sdk-records': { type: 'string', default: '200000' },
    'raw-records': { type: 'string', default: '2000000' },
    from: { type: 'string', default: 'service-bus' },
    keys: { type: 'string', default: '1000000' },
    events: { type: 'string', default: '200000' },
    burst: { type: 'string', default: '200000' },
    /** Events a second, and for how many seconds. */
    offered: { type: 'string', default: '2000' },
    'offered-seconds': { type: 'string', default: '20' },
    'warm-seconds': { type: 'string', default: '10' },
    'receive-only': { type: 'string', default: '100000' },
    'one-by-one': { type: 'string', default: '5000' },
    children: { type: 'string', default: '1000000' },
    rows: { type: 'string', default: '10000000' },
    format: { type: 'string', default: 'csv' },
    /** Rows of one data file; Azure writes a million. */
    files: { type: 'string', default: '1000000' },
    drift: { type: 'string', default: '0.001' },
    'listing-rows': { type: 'string', default: '200000' },
    intake: { type: 'boolean', default: false },
    flat: { type: 'boolean', default: false },
    help: { type: 'boolean' },
    index: { type: 'string' },
  },
});

const BENCHMARKS: Readonly<Record<string, () => Promise<object>>> = {
  'apply-events': () => onPostgres((url) => runApplyEvents(url)),
  feed: () => onPostgres((url) => runFeed(url, feedOptions(), say)),
  'feed-tail': () => runFeedTail(),
  'file-view': () => runFileView(),
  reconcile: () => reconcile(),
  subtree: () => onPostgres((url) => runSubtree(url, number('children'), say)),
  triggers: () => onPostgres((url) => runTriggers(url, triggersOptions(), say)),
  verify: () => onPostgres((url) => runVerify(url)),
};

const number = (name: Exclude<keyof typeof values, 'json' | 'intake' | 'flat' | 'help'>) => Number(values[name]);

function feedOptions() {
  return {
    records: number('records'),
    shards: number('shards'),
    folder: values.feed,
    sdkRecords: number('sdk-records'),
    rawRecords: number('raw-records'),
  };
}

function triggersOptions(): TriggersBenchOptions {
  const { from } = values;
  if (from !== 'service-bus' && from !== 'event-hubs') throw new Error('--from takes service-bus or event-hubs');
  return {
    from,
    keys: number('keys'),
    events: number('events'),
    burst: number('burst'),
    offeredPerSecond: number('offered'),
    warmSeconds: number('warm-seconds'),
    offeredSeconds: number('offered-seconds'),
    receiveOnly: number('receive-only'),
    oneByOne: number('one-by-one'),
  };
}

const MOST_DRIFT = 0.05;

function reconcileOptions(): ReconcileBenchOptions {
  const { format, intake } = values;
  if (format !== 'csv' && format !== 'parquet') throw new Error('--format takes csv or parquet');
  for (const name of ['rows', 'files', 'listing-rows'] as const) {
    if (!(Number.isSafeInteger(number(name)) && number(name) > 0))
      throw new Error(`--${name} takes a number from 1 on`);
  }
  // A seventh of it is deletes, and more than 1 % of those waits for a person.
  if (!(number('drift') >= 0 && number('drift') <= MOST_DRIFT))
    throw new Error(`--drift takes a share up to ${MOST_DRIFT}`);
  return {
    ...{ rows: number('rows'), format, fileRows: number('files'), drift: number('drift') },
    ...{ listingRows: number('listing-rows'), intake },
  };
}

/** Exits 1 where other drift was found than was planted. Ctrl-C ends its parts, and what they left goes. */
async function reconcile() {
  using stop = new StopSignals();
  stop.onSecond(() => process.exit(130));
  const options = reconcileOptions();
  const run = (rows: number) =>
    onPostgres((url, postmaster) => runReconcile(url, { ...options, rows }, { say, signal: stop.first, postmaster }));
  if (values.flat && values.index !== undefined) throw new Error('--flat fills two indexes: leave --index out');
  try {
    const tenth = values.flat ? await run(Math.floor(options.rows / 10)) : undefined;
    const figures = await run(options.rows);
    const { asPlanted, planted, findings } = figures;
    if (!asPlanted) say(`Planted was ${JSON.stringify(planted)}, and found ${JSON.stringify(findings)}.`);
    process.exitCode = asPlanted ? 0 : 1;
    if (tenth === undefined) return figures;
    const { rows, seconds, peakRssMiB } = tenth;
    return { ...figures, tenth: { rows, seconds, peakRssMiB } };
  } catch (error) {
    if (!stop.first.aborted) throw error;
    say('Stopped; nothing is left.');
    process.exit(130);
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** As Postgres' own manual sets it for a server of this size, less than a quarter of memory; the index of 2 M records takes 0.75 GB. */
const SETTINGS = ['shared_buffers=4GB'];

/** Runs the work on the database that is named, or on a Postgres of its own that waits for the disk as a real one does. */
async function onPostgres<Figures>(work: (url: string, postmaster?: number) => Promise<Figures>): Promise<Figures> {
  if (values.index !== undefined) {
    await makeIndex(values.index);
    return await work(values.index);
  }
  const folder = await mkdtemp(join(tmpdir(), 'isthmus-bench-'));
  const port = await getPort({ host: '127.0.0.1' });
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), port, settings: SETTINGS });
  try {
    await makeIndex(postgres.url);
    return await work(postgres.url, postgres.pid);
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws where the database holds an index already: a benchmark fills it. */
async function makeIndex(url: string): Promise<void> {
  const index = openIndex(url);
  try {
    const { rows } = await sql<{ found: string | null }>`select to_regclass('entries')::text as found`.execute(
      index.db,
    );
    if (rows[0]?.found) throw new Error('The database holds an index already: name an empty one.');
    await migrateIndex(index);
  } finally {
    await index.close();
  }
}

const benchmark = BENCHMARKS[positionals[0] ?? ''];
if (values.help) process.stdout.write(HELP);
else if (benchmark === undefined) {
  process.stderr.write(HELP);
  process.exitCode = 64;
} else {
  const figures = await benchmark();
  process.stdout.write(`${JSON.stringify(figures, undefined, values.json ? undefined : 2)}\n`);
}
