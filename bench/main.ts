/**
 * npm run bench -- NAME [--json]
 * npm run bench -- feed [--records N] [--shards K] [--feed DIR] [--sdk-records N] [--raw-records N] [--json]
 *
 * Each benchmark prints figures beside a baseline of the same run, since machines are noisy: read the ratios.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import getPort from 'get-port';
import { startPostgres } from '../infra/local/postgres.ts';
import { openIndex } from '../schema/index/database.ts';
import { migrateIndex } from '../schema/index/migrate.ts';
import { runApplyEvents } from './apply-events.ts';
import { runFeed } from './feed.ts';
import { runFeedTail } from './feed-tail.ts';
import { run as runFileView } from './file-view.ts';
import { run as runVerify } from './verify.ts';

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
  },
});

const BENCHMARKS: Readonly<Record<string, () => Promise<object>>> = {
  'apply-events': () => onPostgres((url) => runApplyEvents(url)),
  feed: () => onPostgres((url) => runFeed(url, feedOptions(), say)),
  'feed-tail': () => runFeedTail(),
  'file-view': () => runFileView(),
  verify: () => onPostgres((url) => runVerify(url)),
};

function feedOptions() {
  const number = (name: 'records' | 'shards' | 'sdk-records' | 'raw-records') => Number(values[name]);
  return {
    records: number('records'),
    shards: number('shards'),
    folder: values.feed,
    sdkRecords: number('sdk-records'),
    rawRecords: number('raw-records'),
  };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** As Postgres' own manual sets it for a server of this size, less than a quarter of memory; the index of 2 M records takes 0.75 GB. */
const SETTINGS = ['shared_buffers=4GB'];

/** Runs the work on a Postgres of its own that waits for the disk as a real one does. */
async function onPostgres<Figures>(work: (url: string) => Promise<Figures>): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'isthmus-bench-'));
  const port = await getPort({ host: '127.0.0.1' });
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), port, settings: SETTINGS });
  try {
    const index = openIndex(postgres.url);
    await migrateIndex(index).finally(() => index.close());
    return await work(postgres.url);
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const benchmark = BENCHMARKS[positionals[0] ?? ''];
if (benchmark === undefined) {
  process.stderr.write(`Usage: npm run bench -- NAME [--json], NAME one of ${Object.keys(BENCHMARKS).join(', ')}.\n`);
  process.exitCode = 64;
} else {
  const figures = await benchmark();
  process.stdout.write(`${JSON.stringify(figures, undefined, values.json ? undefined : 2)}\n`);
}
