import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { transact } from '../../../schema/index/transact.ts';
import { testIndex } from '../../support/postgres.ts';

describe('the index', () => {
  it('loses a connection between two statements of a transaction without ending the process', async () => {
    await using db = await testIndex();
    const { pool } = db.index;
    // `events.once` would listen for errors as well, and hide what this is about.
    const lost = new Promise<void>((resolve) => pool.once('connect', (client) => client.on('end', resolve)));
    let attempts = 0;
    const answer = await transact(db.index, async (tx) => {
      attempts += 1;
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
      if (attempts === 1) {
        await pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
        await lost;
      }
      return (await sql<{ one: number }>`select 1 as one`.execute(tx)).rows[0]?.one;
    }).catch((error: Error) => error.message);
    expect(answer).toMatch(/connection error/);
    expect((await pool.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});
