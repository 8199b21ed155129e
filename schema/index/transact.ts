import type { Index, Tx } from './database.ts';
import { unbuilt } from './unbuilt.ts';

export interface TransactOptions {
  /** Whole attempts, the first among them. @default 5 */
  readonly attempts?: number | undefined;
  /** Ends a statement that takes longer, in milliseconds. @default 60_000 */
  readonly statementMs?: number | undefined;
}

/** Runs the work in one transaction and commits it; the whole work is run again where Postgres broke a deadlock or a serialisation. */
export async function transact<T>(
  _index: Index,
  _work: (tx: Tx) => Promise<T>,
  _options: TransactOptions = {},
): Promise<T> {
  return unbuilt('transact');
}
