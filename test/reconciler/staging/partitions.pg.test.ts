import { describe, expect, it } from 'vitest';
import { pairsOf } from '../../../reconciler/staging/partitions.ts';
import { Staging } from '../../../reconciler/staging/staging.ts';
import { ensureAccount } from '../../../schema/index/accounts.ts';
import type { Index } from '../../../schema/index/database.ts';
import { testIndex } from '../../support/postgres.ts';

const KEYS = Array.from({ length: 200 }, (_, at) => `name-${at}`);

async function staged(index: Index): Promise<Staging> {
  const { id: accountId } = await ensureAccount(index, 'account');
  const staging = new Staging(index, { accountId, runId: 1 });
  await staging.create();
  await staging.append(
    0,
    KEYS.map((name) => ({ containerId: 7, name })),
  );
  await index.pool.query(
    `insert into entries (account_id, container_id, head, live, seen, revision, source, event_id, event_time, rule_revision, changed_at)
     select $1, 7, head, true, 0, 1, 'feed', '', 0, 1, 0 from unnest($2::text[]) as page (head)`,
    [accountId, KEYS],
  );
  return staging;
}

/** Names of entries that this pair does not hold in both of its tables. */
async function apart(index: Index, staging: Staging): Promise<readonly number[]> {
  const left: number[] = [];
  for (const { entries, listed } of await staging.pairs()) {
    const tables = [entries, listed].map((table) => table.compile(index.db).sql);
    const { rows } = await index.pool.query(`
      select count(*) as count from (select head from ${tables[0]}) e full join (select head from ${tables[1]}) l using (head)
      where e is null or l is null`);
    left.push(rows[0].count);
  }
  return left;
}

describe('the tables of a run', () => {
  it('hold a name in the partition of the same keys as the index does', async () => {
    await using db = await testIndex();
    const staging = await staged(db.index);
    expect(await apart(db.index, staging)).toEqual(Array.from({ length: 16 }, () => 0));
    // What a new attempt does.
    await staging.create();
    expect(await staging.count()).toBe(KEYS.length);
  });

  it('are compared as a whole where the index is partitioned otherwise, before the run or since', async () => {
    await using db = await testIndex();
    const staging = await staged(db.index);
    await db.index.pool.query('create table other (like entries) partition by hash (account_id, container_id, head)');
    for (const remainder of [0, 1, 2]) {
      await db.index.pool.query(
        `create table other_${remainder} partition of other for values with (modulus 3, remainder ${remainder})`,
      );
    }
    expect(await pairsOf(db.index.db, 'other', 'reconcile_1_listed')).toHaveLength(1);
    await db.index.pool.query('alter table entries rename to before; alter table other rename to entries');
    await db.index.pool.query('insert into entries select * from before');
    expect(await apart(db.index, staging)).toEqual([0]);
    const later = new Staging(db.index, { accountId: 1, runId: 2 });
    await later.create();
    expect((await later.pairs()).map(({ name }) => name)).toEqual(['other_0', 'other_1', 'other_2']);
    await db.index.pool.query(
      'create table plain (like entries); drop table entries; alter table plain rename to entries',
    );
    const last = new Staging(db.index, { accountId: 1, runId: 3 });
    await last.create();
    expect((await last.pairs()).map(({ name }) => name)).toEqual(['entries']);
    await last.append(0, [{ containerId: 7, name: 'name-1' }]);
    expect(await last.count()).toBe(1);
  });
});
