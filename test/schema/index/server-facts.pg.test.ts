import { sql } from 'kysely';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { openIndex } from '../../../schema/index/database.ts';
import { KNOWN_MIGRATIONS, readServerFacts } from '../../../schema/index/server-facts.ts';
import { emptyDatabase, testIndex } from '../../support/postgres.ts';

describe('what a Postgres says of itself', () => {
  it('tells version, encoding, rights, settings and migrations of a prepared index', async () => {
    await using world = await testIndex();
    const facts = await readServerFacts(world.index.db);
    expect(facts).toMatchObject({
      encoding: 'UTF8',
      schema: 'public',
      readOnly: false,
      mayCreate: true,
      mayMakeTemporary: true,
      foreignTables: [],
      migrations: KNOWN_MIGRATIONS,
      // As the tests' own server is set.
      settings: { fsync: 'off', synchronous_commit: 'off', autovacuum: 'on', statement_timeout: '0' },
    });
    expect(facts.versionNumber).toBeGreaterThanOrEqual(120000);
    expect(facts.connectionLimit).toBeGreaterThan(0);
  });

  it('tells an index that no worker has prepared', async () => {
    await using world = await emptyDatabase();
    expect((await readServerFacts(world.index.db)).migrations).toBeUndefined();
  });

  it('tells a role that may read alone, and whose tables are not its own', async () => {
    await using world = await testIndex();
    const role = `reader_${Date.now()}`;
    await sql.raw(`create role ${role} login password 'reader' connection limit 5`).execute(world.index.db);
    try {
      await sql.raw(`grant select on all tables in schema public to ${role}`).execute(world.index.db);
      const url = new URL(world.url);
      url.username = role;
      url.password = 'reader';
      url.searchParams.set('options', '-c default_transaction_read_only=on -c statement_timeout=2s');
      const index = openIndex(url.href, { max: 1, applicationName: 'isthmus-doctor' });
      const worker = openIndex(world.url, { max: 1, applicationName: 'isthmus-worker' });
      const stranger = new pg.Client({ connectionString: world.url, application_name: 'a stranger' });
      try {
        await sql`select 1`.execute(worker.db);
        await stranger.connect();
        const facts = await readServerFacts(index.db);
        // Of other roles' sessions it is told hardly anything.
        expect(facts.connectionsOfOthers).toBeGreaterThanOrEqual(1);
        expect(facts.connectionsOfOurs).toBeGreaterThanOrEqual(1);
        expect(facts).toMatchObject({ user: role, readOnly: true, mayCreate: false, connectionLimit: 5 });
        expect(facts.foreignTables).toEqual(expect.arrayContaining(['accounts', 'entries']));
        expect(facts.settings.statement_timeout).toBe('2000');
      } finally {
        await stranger.end();
        await worker.close();
        await index.close();
      }
    } finally {
      await sql.raw(`drop owned by ${role}`).execute(world.index.db);
      await sql.raw(`drop role ${role}`).execute(world.index.db);
    }
  });
});
