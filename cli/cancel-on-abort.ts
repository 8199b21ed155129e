import type { PoolClient } from 'pg';
import type { Index } from '../schema/index/database.ts';

/** A statement may run for minutes: an abort ends it at once. @returns what stops listening. */
export async function cancelOnAbort(client: PoolClient, index: Index, signal: AbortSignal): Promise<() => void> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const cancel = () => {
    index.pool.query('select pg_cancel_backend($1)', [rows[0]?.pid]).catch(() => {});
  };
  signal.addEventListener('abort', cancel, { once: true });
  return () => signal.removeEventListener('abort', cancel);
}
