import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { startPostgres } from '../../infra/local/postgres.ts';

/** A Postgres of its own for as long as it is held. Nothing in it is meant to last, so nothing waits for the disk. */
export async function startThrowawayPostgres(): Promise<AsyncDisposable & { readonly url: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'isthmus-replay-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const port = await getPort({ host: '127.0.0.1' });
    const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), port, fsync: false });
    return {
      url: postgres.url,
      async [Symbol.asyncDispose]() {
        await postgres.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
