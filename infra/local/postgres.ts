import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { ChildSpec } from './child-spec.ts';
import { letThrough, othersReach, postgresBinaries } from './postgres-binaries.ts';
import { clearStalePostmaster, ensureCluster, POSTGRES_PASSWORD, POSTGRES_USER } from './postgres-data.ts';
import { Supervisor } from './supervisor.ts';

export interface PostgresOptions {
  /** Made where there is none, kept between runs. */
  readonly dataDir: string;
  readonly port: number;
  /** Where the server's log goes. @default beside the data directory */
  readonly log?: string | undefined;
  /** @default isthmus */
  readonly database?: string | undefined;
  /** Off only for what is thrown away afterwards. @default true */
  readonly fsync?: boolean | undefined;
  /** More settings, as `name=value`. */
  readonly settings?: readonly string[] | undefined;
}

export interface RunningPostgres extends AsyncDisposable {
  readonly url: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/**
 * Starts a real Postgres on 127.0.0.1 and keeps it running: killed, it is started again and recovers by itself.
 * Takes about a second where the cluster is there already.
 *
 * @throws ISTHMUS_INDEX_UNAVAILABLE with the end of the server's log.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const supervisor = new Supervisor();
  try {
    await supervisor.start(await postgresSpec(options));
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
  return {
    url: postgresUrl(options),
    get pid() {
      return supervisor.pid('postgres');
    },
    stop: () => supervisor.stop(),
    [Symbol.asyncDispose]: () => supervisor.stop(),
  };
}

export function postgresUrl({ port, database = 'isthmus' }: Pick<PostgresOptions, 'port' | 'database'>): string {
  return `postgres://${POSTGRES_USER}:${POSTGRES_PASSWORD}@127.0.0.1:${port}/${database}`;
}

/** The Postgres child of a stack; its cluster is made at its start where there is none. */
export async function postgresSpec(options: PostgresOptions): Promise<ChildSpec> {
  const { port, database = 'isthmus', fsync = true, settings = [] } = options;
  const binaries = await postgresBinaries();
  const dataDir = await reachableFolder(path.resolve(options.dataDir), binaries.user !== undefined);
  await mkdir(path.dirname(dataDir), { recursive: true });
  const all = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    `fsync=${fsync ? 'on' : 'off'}`,
    'max_connections=200',
    'shared_buffers=256MB',
    'max_wal_size=4GB',
    // The package's Postgres is built without lz4, and pglz took half of the time of an upsert over cold pages.
    'wal_compression=off',
    'log_checkpoints=off',
    ...settings,
  ];
  let _hasDatabase = false;
  return {
    name: 'postgres',
    command: binaries.postgres,
    args: ['-D', dataDir, ...all.flatMap((setting) => ['-c', setting])],
    env: { LC_ALL: 'C' },
    cwd: '/',
    user: binaries.user,
    log: options.log ?? `${path.resolve(options.dataDir)}.log`,
    prepare: async () => {
      await ensureCluster(dataDir, binaries, fsync);
      await clearStalePostmaster(dataDir);
    },
    isReady: async () => {
      _hasDatabase ||= await ensureDatabase(port, database);
      return await answers(postgresUrl(options));
    },
    readyWithinMs: 60_000,
    // A fast shutdown: clients are disconnected, everything is written.
    stopSignal: 'SIGINT',
    failure: 'ISTHMUS_INDEX_UNAVAILABLE',
  };
}

/** Removes a cluster, wherever `postgresSpec` put it. */
export async function removeCluster(dataDir: string): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  const folder = await reachableFolder(path.resolve(dataDir), isRoot);
  await rm(folder, { recursive: true, force: true });
}

/**
 * The user `postgres` cannot enter every folder that root can. A temporary one is opened for passing through;
 * where another stands in the way, such as root's own home, the data goes to /var/tmp, under the same name.
 */
async function reachableFolder(dataDir: string, isOtherUser: boolean): Promise<string> {
  if (!isOtherUser) return dataDir;
  const parent = path.dirname(dataDir);
  await mkdir(parent, { recursive: true });
  for (let folder = parent; folder.startsWith(tmpdir() + path.sep); folder = path.dirname(folder)) {
    await letThrough(folder);
  }
  if (await othersReach(dataDir)) return dataDir;
  return path.join('/var/tmp', `isthmus-data${dataDir.replaceAll(path.sep, '-')}`);
}

async function ensureDatabase(port: number, database: string): Promise<boolean> {
  await using client = await connect(postgresUrl({ port, database: 'postgres' }));
  const known = await client.query('select 1 from pg_database where datname = $1', [database]);
  if (known.rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(database)}`);
  return true;
}

async function answers(url: string): Promise<boolean> {
  await using client = await connect(url);
  await client.query('select 1');
  return true;
}

async function connect(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}
