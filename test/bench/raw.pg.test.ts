import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runPart } from '../../bench/child.ts';
import { serveBlobs } from '../../bench/feed/blob-server.ts';
import type { RawFigures } from '../../bench/feed/raw.process.ts';
import { writeFeed } from '../../bench/feed/write-feed.ts';
import { connectionStringOn } from '../../infra/local/storage/account.ts';
import { testIndex } from '../support/postgres.ts';

it('the plain upsert of the benchmark changes nothing where it is done once more', async () => {
  await using closing = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'isthmus-bench-test-'));
  closing.defer(() => rm(folder, { recursive: true, force: true }));
  writeFeed(folder, { records: 6_000, shards: 3 });
  const { server, port } = await serveBlobs(folder);
  closing.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  await using db = await testIndex();
  const places = { connectionString: connectionStringOn(port), url: db.url };
  // It ends without a word where rows are changed.
  const figures = await runPart<RawFigures>('feed/raw', { ...places, lanes: 2, most: 1_000_000 });
  expect(figures.again.records).toBe(figures.records);
});
