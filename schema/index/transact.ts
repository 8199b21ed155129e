import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { ensureError } from '../errors.ts';
import type { Index, Tx } from './database.ts';

export interface TransactOptions {
  /** Whole attempts, the first among them. @default 5 */
  readonly attempts?: number | undefined;
  /** Ends a statement that takes longer, in milliseconds. @default 60_000 */
  readonly statementMs?: number | undefined;
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

function retryPause(thrown: unknown): number | undefined {
  const error = ensureError(thrown);
  return 'code' in error && typeof error.code === 'string' ? RETRYABLE[error.code] : undefined;
}
