/**
 * npm run bench -- NAME [--json]
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
import { run as runFileView } from './file-view.ts';
import { run as runVerify } from './verify.ts';

const BENCHMARKS: Readonly<Record<string, () => Promise<object>>> = {
  'apply-events': () => onPostgres((url) => runApplyEvents(url)),
  'file-view': () => runFileView(),
  verify: () => onPostgres((url) => runVerify(url)),
};

/** Runs the work on a Postgres of its own that waits for the disk as a real one does. */
async function onPostgres<Figures>(work: (url: string) => Promise<Figures>): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'isthmus-bench-'));
  const port = await getPort({ host: '127.0.0.1' });
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), port });
  try {
    const index = openIndex(postgres.url);
    await migrateIndex(index).finally(() => index.close());
    return await work(postgres.url);
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean' } } });
const benchmark = BENCHMARKS[positionals[0] ?? ''];
if (benchmark === undefined) {
  process.stderr.write(`Usage: npm run bench -- NAME [--json], NAME one of ${Object.keys(BENCHMARKS).join(', ')}.\n`);
  process.exitCode = 64;
} else {
  const figures = await benchmark();
  process.stdout.write(`${JSON.stringify(figures, undefined, values.json ? undefined : 2)}\n`);
}
