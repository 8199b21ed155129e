import { sql } from 'kysely';
import { IsthmusError } from '../../schema/errors.ts';
import type { Index, Queryable } from '../../schema/index/database.ts';
import { transact } from '../../schema/index/transact.ts';
import { type Pair, pairsOf, partitionsOf } from './partitions.ts';
import { LISTED_COLUMNS, type StagedRow, StagedRows } from './staged-rows.ts';
import { StagingCopy } from './staging-copy.ts';

const LISTED = sql.raw(`
  length bigint, last_modified bigint, listed_at bigint, part integer not null, account_id integer not null,
  container_id integer not null, blob_type blob_type, head text collate "C" not null, tail text collate "C" not null,
  tail_hash bytea not null, etag text, content_type text, md5 text, tier text, metadata jsonb`);

/** What a row takes on its way, about. */
const ROW_BYTES = 320;

const TABLES = ['listed', 'differing', 'missing', 'tally', 'kept'] as const;

/**
 * The tables of one run:
 *
 * - `listed`, what the judge saw, partitioned as `entries` is, so that the two are compared piece by piece;
 * - `differing`, those of its rows that do not plainly agree with the index, each name once;
 * - `missing`, the live entries that the judge should have listed and did not;
 * - `tally`, how many names of a container are listed, live in the index, and missing; several rows of each;
 * - `kept`, one row, for ever.
 *
 * They can be filled again from the judge, so they are not logged: a crash of the server empties all of them at
 * once, and an empty `kept` tells (`assertKept`). Nothing may be concluded from any of them, absence least of all,
 * before that was asked in the same transaction.
 */
export class Staging {
  readonly #index: Index;
  readonly #of: { readonly accountId: number; readonly runId: number };

  constructor(index: Index, of: { readonly accountId: number; readonly runId: number }) {
    this.#index = index;
    this.#of = of;
  }

  get listed() {
    return this.#table('listed');
  }

  get differing() {
    return this.#table('differing');
  }

  get missing() {
    return this.#table('missing');
  }

  get tally() {
    return this.#table('tally');
  }

  /**
   * Makes the tables where they are not there yet.
   *
   * @throws StagingLost where they are there, and the server has emptied them.
   */
  async create(): Promise<void> {
    await transact(this.#index, async (tx) => {
      if (await this.#exists(tx)) return this.assertKept(tx);
      // What an earlier version of Isthmus has left has another shape.
      await this.#drop(tx);
      const { key, partitions } = await partitionsOf(tx, 'entries');
      if (key === undefined) await sql`create unlogged table ${this.listed} (${LISTED})`.execute(tx);
      else await sql`create table ${this.listed} (${LISTED}) partition by ${sql.raw(key)}`.execute(tx);
      for (const [at, { bound }] of partitions.entries()) {
        const name = sql.table(`${this.#name('listed')}_${at}`);
        await sql`create unlogged table ${name} partition of ${this.listed} ${sql.raw(bound)}`.execute(tx);
      }
      await sql`create unlogged table ${this.differing} (${LISTED})`.execute(tx);
      await sql`
        create unlogged table ${this.missing} (
          container_id integer not null,
          head text collate "C" not null, tail text collate "C" not null, tail_hash bytea not null
        )`.execute(tx);
      await sql`
        create unlogged table ${this.tally} (
          container_id integer not null, listed bigint not null, live bigint not null, missing bigint not null
        )`.execute(tx);
      await sql`create unlogged table ${this.#table('kept')} as select true as kept`.execute(tx);
    });
  }

  /** The pieces that `entries` and `listed` are compared in: together they hold every row once. */
  pairs(): Promise<readonly Pair[]> {
    return pairsOf(this.#index.db, 'entries', this.#name('listed'));
  }

  /** Takes back what is staged of these parts. Reads all that is staged, so it is asked once for many. */
  async forgetParts(on: Queryable, parts: readonly number[]): Promise<void> {
    if (parts.length > 0) await sql`delete from ${this.listed} where part = any(${parts}::integer[])`.execute(on);
  }

  /** Takes back what is staged of any other part than these. */
  async forgetAllBut(parts: readonly number[]): Promise<void> {
    await sql`delete from ${this.listed} where part <> all(${parts}::integer[])`.execute(this.#index.db);
  }

  /** Empties the tables, to be filled anew. */
  async clear(): Promise<void> {
    await transact(this.#index, async (tx) => {
      const tables = sql.join(TABLES.map((name) => this.#table(name)));
      await sql`truncate ${tables}`.execute(tx);
      await sql`insert into ${this.#table('kept')} values (true)`.execute(tx);
    });
  }

  /** Opens one COPY into `listed`, of rows as `StagedRows` writes them. */
  copy(): Promise<StagingCopy> {
    return StagingCopy.open(this.#index.pool, `${this.#name('listed')} (${LISTED_COLUMNS.join(', ')})`);
  }

  /** Copies rows of one part; they are there, all of them, once this returns. */
  async append(part: number, rows: readonly (StagedRow & { readonly containerId: number })[]): Promise<void> {
    if (rows.length === 0) return;
    await using copy = await this.copy();
    const encoded = new StagedRows({ part, accountId: this.#of.accountId }, rows.length * ROW_BYTES);
    for (const row of rows) encoded.add(row, row.containerId);
    await copy.write(encoded.take());
    await copy.end();
  }

  async count(): Promise<number> {
    const { rows } = await sql<{ count: number }>`select count(*) as count from ${this.listed}`.execute(this.#index.db);
    return rows[0]?.count ?? 0;
  }

  /** Makes key order cheap in what the comparison found. */
  async seal(): Promise<void> {
    for (const table of ['differing', 'missing'] as const) {
      const key = sql.id(`${this.#name(table)}_key`);
      await sql`create index if not exists ${key} on ${this.#table(table)} (container_id, head, tail_hash)`.execute(
        this.#index.db,
      );
      await sql`analyze ${this.#table(table)}`.execute(this.#index.db);
    }
  }

  /** Rows that name a blob again. */
  async duplicates(): Promise<number> {
    const { rows } = await sql<{ again: number }>`
      select count(*) - count(distinct (container_id, head, tail_hash)) as again from ${this.listed}`.execute(
      this.#index.db,
    );
    return rows[0]?.again ?? 0;
  }

  /** Fails, to be tried again from the judge, where the server has lost what was staged and found. */
  async assertKept(on: Queryable): Promise<void> {
    const { rows } = await sql<{ kept: boolean }>`select exists (select from ${this.#table('kept')}) as kept`.execute(
      on,
    );
    if (rows[0]?.kept !== true) throw new StagingLost();
  }

  drop(): Promise<void> {
    return this.#drop(this.#index.db);
  }

  async #drop(on: Queryable): Promise<void> {
    const tables = sql.join(TABLES.map((name) => this.#table(name)));
    await sql`drop table if exists ${tables}`.execute(on);
  }

  async #exists(on: Queryable): Promise<boolean> {
    const { rows } = await sql<{ there: boolean }>`
      select to_regclass(${this.#name('kept')}) is not null as there`.execute(on);
    return rows[0]?.there === true;
  }

  #name(table: (typeof TABLES)[number]): string {
    return `reconcile_${Math.trunc(this.#of.runId)}_${table}`;
  }

  #table(table: (typeof TABLES)[number]) {
    return sql.table(this.#name(table));
  }
}

/** The server crashed and emptied the staged rows. */
export class StagingLost extends IsthmusError {
  constructor() {
    super('ISTHMUS_INDEX_UNAVAILABLE', 'The rows that were staged are gone (Postgres restarted): they are read again.');
  }
}

/** Those of a run that judges a sink, too: see `SinkStaging`. */
const STAGING_TABLE = `^reconcile_([0-9]+)_(${[...TABLES, 'sink', 'suspects', 'walked'].join('|')})$`;

/** Drops the tables of runs that have ended, or that nobody remembers. */
export async function dropLeftovers(index: Index): Promise<number> {
  const { rows } = await sql<{ name: string }>`
    select t.tablename as name
    from pg_tables t cross join lateral regexp_match(t.tablename, ${STAGING_TABLE}) as part
      left join runs r on r.id = part[1]::int
    where t.schemaname = current_schema() and part is not null and (r.id is null or r.ended_at is not null)`.execute(
    index.db,
  );
  for (const { name } of rows) await sql`drop table if exists ${sql.table(name)}`.execute(index.db);
  return rows.length;
}
