import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { openIndex } from '../../../schema/index/database.ts';
import { migrateIndex } from '../../../schema/index/migrate.ts';
import { INDEX_MIGRATIONS } from '../../../schema/index/migrations/index-migrations.ts';
import { emptyDatabase } from '../../support/postgres.ts';

/** A migration that has landed never changes; a new one gets a new line. */
const LANDED: Readonly<Record<string, string>> = {
  '0001-namespace-index': '0699f1ff0cb5c98c3d0c8d8cd4878c80431f53e3d7345e4bd7214ed960582e5a',
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

  it('refuse a database that a newer Isthmus has migrated', async () => {
    await using db = await emptyDatabase();
    await migrateIndex(db.index);
    await sql`insert into isthmus_migration (name, timestamp) values ('9999-from-the-future', 'now')`.execute(
      db.index.db,
    );
    await expect(migrateIndex(db.index)).rejects.toThrow('9999-from-the-future');
  });
});
