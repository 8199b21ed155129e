import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import type { Tables } from './tables.ts';

/** The namespace index: one pool, shared by Kysely and by whoever streams with COPY or a cursor. */
export interface Index {
  readonly pool: pg.Pool;
  readonly db: Kysely<Tables>;
  close(): Promise<void>;
}

/** A transaction that `transact` opened. */
export type Tx = Transaction<Tables>;

/** Whatever statements can be sent through: the index's pool, or a transaction. */
export type Queryable = Kysely<Tables>;

export interface OpenIndexOptions {
  /** Most connections at a time. @default 10 */
  readonly max?: number | undefined;
  /** Shown in `pg_stat_activity`. @default 'isthmus' */
  readonly applicationName?: string | undefined;
  /** How long a connection is waited for, in milliseconds, a free one of the pool among them. @default for ever */
  readonly connectMs?: number | undefined;
}

const INT8 = 20;

/** Opens the index. Nothing is sent before the first statement; `close` waits for those under way. */
export function openIndex(url: string, options: OpenIndexOptions = {}): Index {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 10,
    application_name: options.applicationName ?? 'isthmus',
    connectionTimeoutMillis: options.connectMs ?? 0,
    types: {
      // Every int8 of ours (milliseconds, revisions, lengths) is below 2^53.
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === INT8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format ?? 'text'),
    } as pg.CustomTypesConfig,
  });
  // An idle connection that the server drops is replaced by the next use; without a listener it would end the process.
  pool.on('error', () => {});
  // So is one that is lost between two statements of a transaction: the next statement then fails.
  pool.on('connect', (client) => client.on('error', () => {}));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return { pool, db, close: () => db.destroy() };
}
