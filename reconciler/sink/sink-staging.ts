import { sql } from 'kysely';
import type { PoolClient } from 'pg';
import type { Key } from '../../namespace/key.ts';
import { textArray } from '../../schema/index/arrays.ts';
import type { Index, Queryable } from '../../schema/index/database.ts';
import { storedName } from '../../schema/index/names.ts';
import { transact } from '../../schema/index/transact.ts';
import { copyRows } from '../staging/copy-rows.ts';
import { type Pair, pairsOf, partitionsOf } from '../staging/partitions.ts';
import { StagingLost } from '../staging/staging.ts';
import type { JudgedFile } from './judged-files.ts';

/** A name of which index and sink seem to differ. */
export interface Suspect extends Key {
  readonly id: number;
}

/**
 * The tables of one run of a sink: `sink`, the files that the walk saw in containers that the index knows, partitioned as
 * `entries` is; `suspects`, names to be looked at one by one; `walked`, one row, for ever. They can be filled again by a
 * walk, so they are not logged: a crash of the server empties them all, and an empty `walked` tells.
 */
export class SinkStaging {
  readonly #index: Index;
  readonly #accountId: number;
  readonly #runId: number;

  constructor(index: Index, accountId: number, runId: number) {
    this.#index = index;
    this.#accountId = accountId;
    this.#runId = Math.trunc(runId);
  }

  get suspects() {
    return sql.table(this.#name('suspects'));
  }

  /** Makes the tables, empty. */
  async create(): Promise<void> {
    await this.drop();
    await transact(this.#index, async (tx) => {
      const files = sql.table(this.#name('sink'));
      const columns = sql.raw(`
        length bigint not null, account_id integer not null, container_id integer not null,
        stray boolean not null, damaged boolean not null,
        head text collate "C" not null, tail text collate "C" not null, tail_hash bytea not null,
        etag text, state text not null`);
      const { key, partitions } = await partitionsOf(tx, 'entries');
      if (key === undefined) await sql`create unlogged table ${files} (${columns})`.execute(tx);
      else await sql`create table ${files} (${columns}) partition by ${sql.raw(key)}`.execute(tx);
      for (const [at, { bound }] of partitions.entries()) {
        const name = sql.table(`${this.#name('sink')}_${at}`);
        await sql`create unlogged table ${name} partition of ${files} ${sql.raw(bound)}`.execute(tx);
      }
      // `cause` is set once it is confirmed and can be mended; `outcome` once it is known what became of it.
      await sql`
        create unlogged table ${this.suspects} (
          id bigint generated always as identity primary key, container text not null, name text not null,
          cause text, outcome text
        )`.execute(tx);
      await sql`create unlogged table ${sql.table(this.#name('walked'))} as select true as walked`.execute(tx);
    });
  }

  /** Copies files of containers that the index knows. */
  async append(client: PoolClient, files: readonly (JudgedFile & { readonly containerId: number })[]): Promise<void> {
    const into = `${this.#name('sink')} (length, account_id, container_id, stray, damaged, head, tail, tail_hash, etag, state)`;
    const rows = files.map(({ file, stray, containerId }) => {
      const { head, tail, tailHash } = storedName(file.key.name);
      const flags = [stray ? 't' : 'f', file.damage === undefined ? 'f' : 't'];
      return [file.length, this.#accountId, containerId, ...flags, head, tail, `\\x${tailHash}`, file.etag, file.state];
    });
    if (rows.length > 0) await copyRows(client, into, rows);
  }

  /** Names that no comparison is needed for: the index knows no container of them. */
  async suspect(on: Queryable, keys: readonly Key[]): Promise<void> {
    if (keys.length === 0) return;
    await sql`
      insert into ${this.suspects} (container, name)
      select * from unnest(
        ${textArray(keys.map(({ container }) => container))}::text[], ${textArray(keys.map(({ name }) => name))}::text[])`.execute(
      on,
    );
  }

  async countFiles(): Promise<number> {
    const { rows } = await sql<{ count: number }>`
      select (select count(*) from ${sql.table(this.#name('sink'))}) + (select count(*) from ${this.suspects}) as count`.execute(
      this.#index.db,
    );
    return rows[0]?.count ?? 0;
  }

  /** Tells the planner how many rows there are. */
  async analyze(): Promise<void> {
    await sql`analyze ${sql.table(this.#name('sink'))}`.execute(this.#index.db);
  }

  /** The pieces that `entries` and the walked files are compared in; a pair's `listed` are the files. */
  pairs(): Promise<readonly Pair[]> {
    return pairsOf(this.#index.db, 'entries', this.#name('sink'));
  }

  /**
   * The next suspects, in the order of their ids.
   *
   * @param which `confirmed`: those that can be mended and are not yet.
   */
  async next(after: number, limit: number, which: 'all' | 'confirmed'): Promise<readonly Suspect[]> {
    const of = which === 'all' ? sql`true` : sql`cause is not null and outcome is null`;
    const { rows } = await sql<Suspect>`
      select id, container, name from ${this.suspects} where id > ${after} and ${of} order by id limit ${limit}`.execute(
      this.#index.db,
    );
    return rows;
  }

  async note(on: Queryable, column: 'cause' | 'outcome', notes: ReadonlyMap<number, string>): Promise<void> {
    if (notes.size === 0) return;
    await sql`
      update ${this.suspects} as s set ${sql.ref(column)} = x.note
      from unnest(${[...notes.keys()]}::bigint[], ${textArray([...notes.values()])}::text[]) as x (id, note)
      where s.id = x.id`.execute(on);
  }

  /** What became of those that can be mended; `waiting` is what is not known yet. */
  async outcomes(on: Queryable): Promise<ReadonlyMap<string, number>> {
    const { rows } = await sql<{ outcome: string; count: number }>`
      select coalesce(outcome, 'waiting') as outcome, count(*) as count from ${this.suspects}
      where cause is not null group by 1`.execute(on);
    return new Map(rows.map(({ outcome, count }) => [outcome, count]));
  }

  /** @throws StagingLost where the server has emptied the tables, or they are gone. */
  async assertKept(on: Queryable): Promise<void> {
    const name = this.#name('walked');
    const { rows: there } = await sql<{ there: boolean }>`select to_regclass(${name}) is not null as there`.execute(on);
    if (there[0]?.there === true) {
      const { rows } = await sql<{ kept: boolean }>`
        select exists (select from ${sql.table(name)}) as kept`.execute(on);
      if (rows[0]?.kept === true) return;
    }
    throw new StagingLost();
  }

  async drop(): Promise<void> {
    const tables = ['sink', 'suspects', 'walked'].map((name) => sql.table(this.#name(name)));
    await sql`drop table if exists ${sql.join(tables)}`.execute(this.#index.db);
  }

  #name(table: string): string {
    return `reconcile_${this.#runId}_${table}`;
  }
}
