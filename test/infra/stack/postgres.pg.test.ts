import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { choosePorts } from '../../../infra/local/ports.ts';
import { startPostgres } from '../../../infra/local/postgres.ts';
import { isAlive, until } from './alive.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function answers(url: string): Promise<boolean> {
  return ask(url, 'select 1').then(
    () => true,
    () => false,
  );
}

describe('the embedded Postgres', () => {
  it('is durable, is started again when it is killed, and has what was committed', async () => {
    await using temporary = await temporaryFolder();
    const { postgres: port } = await choosePorts('free');
    await using server = await startPostgres({ dataDir: path.join(temporary.folder, 'data'), port });
    expect(await ask(server.url, 'show fsync')).toEqual([{ fsync: 'on' }]);
    expect(await ask(server.url, 'show server_encoding')).toEqual([{ server_encoding: 'UTF8' }]);
    await ask(server.url, "create table kept as select 'ä'::text as name");
    const first = server.pid ?? 0;
    process.kill(first, 'SIGKILL');
    await until('another one answers', async () => server.pid !== first && (await answers(server.url)));
    expect(await ask(server.url, 'select name from kept')).toEqual([{ name: 'ä' }]);
    const last = server.pid ?? 0;
    await server.stop();
    expect(isAlive(last)).toBe(false);
  });

  it('starts where a stale postmaster.pid names a living process that is not Postgres', async () => {
    await using temporary = await temporaryFolder();
    const { postgres: port } = await choosePorts('free');
    const options = { dataDir: path.join(temporary.folder, 'data'), port };
    await (await startPostgres(options)).stop();
    const stale = path.join(options.dataDir, 'postmaster.pid');
    await writeFile(stale, `${process.pid}\n${options.dataDir}\n0\n${port}\n\n127.0.0.1\n`);
    await using server = await startPostgres(options);
    expect(Number.parseInt(await readFile(stale, 'utf8'), 10)).toBe(server.pid);
  });

  it("says in the server's own words why it does not start", async () => {
    await using temporary = await temporaryFolder();
    const { postgres: port } = await choosePorts('free');
    const failed = startPostgres({
      dataDir: path.join(temporary.folder, 'data'),
      port,
      settings: ['wal_compression=lz4'],
    });
    await expect(failed).rejects.toMatchObject({ code: 'ISTHMUS_INDEX_UNAVAILABLE' });
    await expect(failed).rejects.toThrow(/invalid value for parameter "wal_compression": "lz4"/);
  });
});
