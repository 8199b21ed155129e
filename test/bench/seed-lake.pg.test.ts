import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { lakeOf, plantOf, rowOf, versionOf } from '../../bench/reconcile/lake.ts';
import { seedIndex } from '../../bench/reconcile/seed-index.ts';
import { connectionStringOn } from '../../infra/local/storage/account.ts';
import { testIndex } from '../support/postgres.ts';

interface Row {
  readonly container: string;
  readonly name: string;
  readonly etag: string;
  readonly length: number;
  readonly modified: number;
  readonly md5: string;
  readonly blobType: string;
  readonly tier: string;
  readonly metadata: object | null;
}

it('the index of the benchmark is the lake, but for what is planted', async () => {
  await using db = await testIndex();
  const lake = lakeOf(20_000, 0.01, Date.UTC(2026, 10, 22));
  const { signal } = new AbortController();
  await seedIndex({ url: db.url, connectionString: connectionStringOn(1) }, lake, signal);
  const { rows } = await sql<Row>`
    select c.name as container, e.head as name, e.etag, e.length, e.last_modified as modified, e.md5,
      e.blob_type as "blobType", e.tier, e.metadata
    from entries e join containers c on c.account_id = e.account_id and c.id = e.container_id`.execute(db.index.db);

  const differ = new Set<string>();
  const seen = new Set<number>();
  for (const { container, name, metadata, ...row } of rows) {
    const number = rowOf(lake, container, name) ?? -1;
    seen.add(number);
    const version = versionOf(lake, number, true);
    const expected = { ...version, metadata: JSON.parse(version?.metadata ?? '{}') as object };
    const isSame = JSON.stringify(sorted({ ...row, metadata })) === JSON.stringify(sorted(expected));
    if (!isSame) differ.add(plantOf(lake, number) ?? `row ${number}`);
  }
  for (let row = 0; row < lake.rows; row++) if (!seen.has(row)) differ.add(`no ${plantOf(lake, row)}`);
  expect([...differ].sort()).toEqual(['gone', 'grown', 'metadata', 'no new', 'overwritten', 'tier']);
});

function sorted(value: object): unknown[] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}
