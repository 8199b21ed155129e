import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { describe, expect, it } from 'vitest';
import { ensureAccount } from '../../../schema/index/accounts.ts';
import { openIndex } from '../../../schema/index/database.ts';
import { readCursor } from '../../../schema/index/feed-cursors.ts';
import { migrateIndex } from '../../../schema/index/migrate.ts';
import { INDEX_MIGRATIONS, migrationsOf } from '../../../schema/index/migrations/index-migrations.ts';
import { emptyDatabase } from '../../support/postgres.ts';

/** A migration that has landed never changes; a new one gets a new line. */
const LANDED: Readonly<Record<string, string>> = {
  '0001-namespace-index': '0699f1ff0cb5c98c3d0c8d8cd4878c80431f53e3d7345e4bd7214ed960582e5a',
  '0002-feed': '817aaebe68f212daf646ddf3808bda18df795153093aebb1a67924cdd0f44bad',
  '0003-tombstones': '9c0de8e1e8b232cf4baa7f9dbe497993e04f3022c73f0996c4dea01f78dae260',
  '0005-dead-letters': '8b53022dec4dd09dbe296657cdfab734c501c1341e7a32a7fc31ebfa5151725e',
  '0006-event-hubs': '186b826b49894c94b3cc4076cc952ccb1051de7f1d92170f23d918553d6ca8fd',
  '0007-subtrees': 'd5a1b46da067528afead1e25f54664b5cb8000c67c4591d19c1f268628bfa027',
  '0008-trigger-watch': 'd6774abba74226e685107262c74896153fd0e4696384870dde4c0de472a4fac8',
  '0009-directory-looks': 'd943e4507f117e1156749f30e42b95121ae238a31f2baa9c4d0cabd2d620bf72',
  '0010-directory-renames': '8f742720ad2598916e6781c95b515b6070020b908375fb599fdb705e347ef846',
  '0011-transport-minutes': 'e22203f430d3cd2640a5501f1389d4a71006677c1c340243a8dc265c449e4823',
  '0012-drift': '0359ab14d9b75bb1798aaec50ca5bf00624114de83a892a7c8d32f174ae5a7a3',
};

describe('migrations', () => {
  it('leave the same schema when six workers start at once, and again', async () => {
    await using db = await emptyDatabase();
    const workers = Array.from({ length: 6 }, () => openIndex(db.url, { max: 1 }));
    await Promise.all(workers.map((worker) => migrateIndex(worker)));
    await Promise.all(workers.map((worker) => migrateIndex(worker)));
    await Promise.all(workers.map((worker) => worker.close()));
    const { rows } = await sql<{ name: string }>`select name from isthmus_migration order by name`.execute(db.index.db);
    expect(rows.map((row) => row.name)).toEqual(Object.keys(INDEX_MIGRATIONS));
  });

  it('that have landed are what they were', () => {
    const hashes = Object.fromEntries(
      Object.entries(INDEX_MIGRATIONS).map(([name, list]) => [
        name,
        createHash('sha256').update(list.join('\n;\n')).digest('hex'),
      ]),
    );
    expect(hashes).toMatchObject(LANDED);
    expect(Object.keys(INDEX_MIGRATIONS)).toEqual(Object.keys(INDEX_MIGRATIONS).toSorted());
  });

  it('0002 keeps how far a feed was applied, shard by shard', async () => {
    await using db = await emptyDatabase();
    const first = new Migrator({
      db: db.index.db,
      provider: { getMigrations: () => Promise.resolve(migrationsOf(INDEX_MIGRATIONS)) },
      migrationTableName: 'isthmus_migration',
      migrationLockTableName: 'isthmus_migration_lock',
    });
    expect((await first.migrateTo('0001-namespace-index')).error).toBeUndefined();
    const { rows } = await sql<{ id: number }>`
      insert into accounts (name) values ('lake'), ('fresh') returning id`.execute(db.index.db);
    const [lake, fresh] = rows.map(({ id }) => id);
    const segment = 'idx/segments/2026/11/21/1200/meta.json';
    const shards = {
      'log/00/2026/11/21/1200/': { chunk: 'log/00/2026/11/21/1200/00001.avro', offset: 5_000_000_000, index: 7 },
      'log/01/2026/11/21/1200/': { chunk: 'log/01/2026/11/21/1200/00000.avro', offset: 0, index: 0 },
    };
    await sql`
      insert into feed_cursors (account_id, version, cursor, moved_at)
      values (${lake}, 41, ${JSON.stringify({ segment, shards })}::jsonb, 1)`.execute(db.index.db);
    await migrateIndex(db.index);
    const versioned = Object.entries(shards).map(([shard, position]) => [shard, { ...position, version: 1 }]);
    expect(await readCursor(db.index.db, lake ?? 0)).toEqual({
      segment,
      version: 41,
      shards: Object.fromEntries(versioned),
    });
    expect(await readCursor(db.index.db, fresh ?? 0)).toBeUndefined();
    expect(await ensureAccount(db.index, 'lake')).toMatchObject({ id: lake });
  });

  it('0012 ends the runs that are under way, as what they have staged is of another shape', async () => {
    await using db = await emptyDatabase();
    const before = new Migrator({
      db: db.index.db,
      provider: { getMigrations: () => Promise.resolve(migrationsOf(INDEX_MIGRATIONS)) },
      migrationTableName: 'isthmus_migration',
      migrationLockTableName: 'isthmus_migration_lock',
    });
    expect((await before.migrateTo('0011-transport-minutes')).error).toBeUndefined();
    await sql`
      with account as (insert into accounts (name) values ('lake') returning id)
      insert into runs (account_id, judge, prefix, outcome, started_at, ended_at, state)
      select id, 'listing', '', outcome, 1, ended_at, '{"phase": "absent"}'
      from account, (values (null, null), ('complete', 2)) as of (outcome, ended_at)`.execute(db.index.db);
    await migrateIndex(db.index);
    const { rows } = await sql`
      select outcome, ended_at > 1000 as now from runs order by id`.execute(db.index.db);
    expect(rows).toEqual([
      { outcome: 'failed', now: true },
      { outcome: 'complete', now: false },
    ]);
  });

  it('refuse a database that a newer Isthmus has migrated', async () => {
    await using db = await emptyDatabase();
    await migrateIndex(db.index);
    await sql`insert into isthmus_migration (name, timestamp) values ('9999-from-the-future', 'now')`.execute(
      db.index.db,
    );
    await expect(migrateIndex(db.index)).rejects.toThrow('9999-from-the-future');
  });
});
