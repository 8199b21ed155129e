import { sql } from 'kysely';
import type { Queryable } from './database.ts';
import { INDEX_MIGRATIONS } from './migrations/index-migrations.ts';

/** What a Postgres says of itself to whoever asks; nothing is written. */
export interface ServerFacts {
  /** `18.4` */
  readonly version: string;
  /** `180004` */
  readonly versionNumber: number;
  readonly encoding: string;
  readonly database: string;
  readonly user: string;
  /** The schema that tables are made in; null where none of the search path is there. */
  readonly schema: string | null;
  /** A standby, or told to be read only. */
  readonly readOnly: boolean;
  readonly mayCreate: boolean;
  readonly mayMakeTemporary: boolean;
  /** Our tables that this role does not own, so that no migration of it could change them. */
  readonly foreignTables: readonly string[];
  /** Connections that roles like this one may have at a time: the least of the server's, the database's and the role's own limit. */
  readonly connectionLimit: number;
  /** Of other programs than ours, as of now, whichever database they are connected to. */
  readonly connectionsOfOthers: number;
  /** Of workers and commands of Isthmus, but for who asks. */
  readonly connectionsOfOurs: number;
  readonly settings: Readonly<Record<WatchedSetting, string>>;
  /** Names of the migrations that were applied; undefined where no worker has ever prepared the index. */
  readonly migrations: readonly string[] | undefined;
}

/** Milliseconds where it is a time. */
export const WATCHED_SETTINGS = [
  'fsync',
  'full_page_writes',
  'synchronous_commit',
  'autovacuum',
  'track_counts',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'transaction_timeout',
] as const;
export type WatchedSetting = (typeof WATCHED_SETTINGS)[number];

export async function readServerFacts(on: Queryable): Promise<ServerFacts> {
  const [about] = (
    await sql<AboutRow>`
    select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
      current_setting('server_encoding') as encoding, current_database() as database, current_user as "user",
      current_schema() as schema,
      pg_is_in_recovery() or current_setting('transaction_read_only')::bool as read_only,
      coalesce(has_schema_privilege(current_schema(), 'create'), false) as may_create,
      has_database_privilege(current_database(), 'temp') as may_make_temporary,
      least(
        current_setting('max_connections')::int
          - case when r.rolsuper then 0 else current_setting('superuser_reserved_connections')::int end
          - case when r.rolsuper then 0 else coalesce(current_setting('reserved_connections', true), '0')::int end,
        case when d.datconnlimit < 0 or r.rolsuper then null else d.datconnlimit end,
        case when r.rolconnlimit < 0 or r.rolsuper then null else r.rolconnlimit end
      ) as connection_limit,
      c.of_others, c.of_ours,
      to_regclass('isthmus_migration') is not null as prepared
    from pg_roles r, pg_database d, (
      select count(*) filter (where application_name not like 'isthmus%')::int as of_others,
        count(*) filter (where application_name like 'isthmus%' and application_name <> current_setting('application_name'))::int
          as of_ours
      from pg_stat_activity
      -- Of another role's session an ordinary role is told no type; a session that is no client's has no user or no database.
      where coalesce(backend_type, 'client backend') = 'client backend' and usesysid is not null and datid is not null
    ) c
    where r.rolname = current_user and d.datname = current_database()`.execute(on)
  ).rows;
  if (about === undefined) throw new Error('Postgres does not say who is asking');
  const settings = await sql<{ name: WatchedSetting; setting: string }>`
    select name, setting from pg_settings where name = any(${sql.lit(`{${WATCHED_SETTINGS.join(',')}}`)}::text[])`.execute(
    on,
  );
  return {
    version: about.version,
    versionNumber: about.number,
    encoding: about.encoding,
    database: about.database,
    user: about.user,
    schema: about.schema,
    readOnly: about.read_only,
    mayCreate: about.may_create,
    mayMakeTemporary: about.may_make_temporary,
    foreignTables: about.prepared ? await foreignTables(on) : [],
    connectionLimit: about.connection_limit,
    connectionsOfOthers: about.of_others,
    connectionsOfOurs: about.of_ours,
    settings: Object.fromEntries(settings.rows.map(({ name, setting }) => [name, setting])) as ServerFacts['settings'],
    migrations: about.prepared ? await appliedMigrations(on) : undefined,
  };
}

interface AboutRow {
  readonly version: string;
  readonly number: number;
  readonly encoding: string;
  readonly database: string;
  readonly user: string;
  readonly schema: string | null;
  readonly read_only: boolean;
  readonly may_create: boolean;
  readonly may_make_temporary: boolean;
  readonly connection_limit: number;
  readonly of_others: number;
  readonly of_ours: number;
  readonly prepared: boolean;
}

/** Names of migrations, in order, that this version of Isthmus brings. */
export const KNOWN_MIGRATIONS: readonly string[] = Object.keys(INDEX_MIGRATIONS);

async function appliedMigrations(on: Queryable): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`select name from isthmus_migration order by name`.execute(on);
  return rows.map(({ name }) => name);
}

/** The schema is not ours alone: of its tables those count that a migration of ours made. */
async function foreignTables(on: Queryable): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select c.relname as name from pg_class c
    where c.relnamespace = (select relnamespace from pg_class where oid = to_regclass('isthmus_migration'))
      and c.relname in ('isthmus_migration', 'accounts', 'containers', 'entries', 'runs', 'journal')
      and not pg_has_role(c.relowner, 'usage')
    order by 1`.execute(on);
  return rows.map(({ name }) => name);
}
