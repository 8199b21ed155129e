import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { ensureError } from '../errors.ts';
import type { Index, Queryable, Tx } from './database.ts';

export interface TransactOptions {
  /** Whole attempts, the first among them. @default 5 */
  readonly attempts?: number | undefined;
  /** Ends a statement that takes longer, in milliseconds. @default 60_000 */
  readonly statementMs?: number | undefined;
  /** Statements join a short list of keys with a table: they search it by key, row by row. See `searchByKey`. */
  readonly byKey?: boolean | undefined;
}

/** What Postgres breaks off though nothing is wrong, with the pause before the next attempt in milliseconds. */
const RETRYABLE: Readonly<Record<string, number>> = {
  '40001': 5, // serialization_failure
  '40P01': 20, // deadlock_detected
};

/**
 * Runs the work in one transaction and commits it. The whole work is run again where Postgres broke a
 * deadlock or a serialisation, so it must have no effect outside the transaction.
 */
export async function transact<T>(
  index: Index,
  work: (tx: Tx) => Promise<T>,
  options: TransactOptions = {},
): Promise<T> {
  const attempts = options.attempts ?? 5;
  for (let attempt = 1; ; attempt++) {
    try {
      return await index.db
        .transaction()
        // Rows are locked in key order and read after they are locked, which is all that a page needs.
        .setIsolationLevel('read committed')
        .execute(async (tx) => {
          await sql.raw(limits(options.statementMs ?? 60_000)).execute(tx);
          if (options.byKey === true) await setJoins(tx, 'off');
          return await work(tx);
        });
    } catch (error) {
      const pause = retryPause(error);
      if (pause === undefined || attempt >= attempts) throw error;
      await sleep(pause * attempt);
    }
  }
}

/** A worker that died in mid-transaction must not hold its locks: the server ends a session that idles in one. */
function limits(statementMs: number): string {
  return `set local statement_timeout = ${Math.trunc(statementMs)}; set local idle_in_transaction_session_timeout = 60000`;
}

/**
 * Runs statements that join a list of keys with a table, in a transaction. Postgres counts a search in a hash
 * partitioned table as one in every partition, and so would rather read a table of some millions of rows whole:
 * seconds instead of milliseconds. Here it may not.
 */
export async function searchByKey<T>(tx: Queryable, work: () => Promise<T>): Promise<T> {
  await setJoins(tx, 'off');
  const result = await work();
  await setJoins(tx, 'on');
  return result;
}

async function setJoins(tx: Queryable, value: 'on' | 'off'): Promise<void> {
  await sql`select set_config('enable_hashjoin', ${value}, true), set_config('enable_mergejoin', ${value}, true)`.execute(
    tx,
  );
}

function retryPause(thrown: unknown): number | undefined {
  const error = ensureError(thrown);
  return 'code' in error && typeof error.code === 'string' ? RETRYABLE[error.code] : undefined;
}
