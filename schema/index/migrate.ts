import { Kysely, PostgresDialect, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import pg from 'pg';
import { ensureError, IsthmusError } from '../errors.ts';
import type { Index } from './database.ts';
import { INDEX_MIGRATIONS, migrationsOf } from './migrations/index-migrations.ts';

/** Any number that nobody else uses; every start of ours agrees on it. */
const LOCK = 4_917_038_251;

/**
 * Brings the index to the newest schema. Idempotent, and safe when many workers start at once: one migrates,
 * the others wait. Refuses a database that a newer Isthmus has migrated, and one whose encoding is not UTF-8.
 */
export async function migrateIndex(index: Index): Promise<void> {
  // A pool of its own: the lock is the session's, and the caller's pool may have one connection only.
  const pool = new pg.Pool({ ...index.pool.options, max: 2 });
  pool.on('error', () => {});
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    await db.connection().execute(async (session) => {
      await requireUtf8(session);
      // The migrator's own lock comes after it has made its tables, which two starts at once would collide on.
      await sql`select pg_advisory_lock(${LOCK})`.execute(session);
      try {
        await migrate(db);
      } finally {
        await sql`select pg_advisory_unlock(${LOCK})`.execute(session);
      }
    });
  } finally {
    await db.destroy();
  }
}

async function migrate(db: Kysely<unknown>): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrationsOf(INDEX_MIGRATIONS)) },
    migrationTableName: 'isthmus_migration',
    migrationLockTableName: 'isthmus_migration_lock',
  });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const cause = ensureError(error);
  throw new IsthmusError('ISTHMUS_ASSERTION', `The index could not be migrated: ${cause.message}`, { cause });
}

async function requireUtf8(session: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ encoding: string }>`select current_setting('server_encoding') as encoding`.execute(
    session,
  );
  const encoding = rows[0]?.encoding;
  if (encoding === 'UTF8') return;
  throw new IsthmusError(
    'ISTHMUS_CONFIG',
    `The index's database is encoded in ${encoding}; blob names need UTF8. Create it with ENCODING 'UTF8' TEMPLATE template0.`,
  );
}
