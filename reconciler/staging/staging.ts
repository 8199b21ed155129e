import { sql } from 'kysely';
import { IsthmusError } from '../../schema/errors.ts';
import type { Index, Queryable } from '../../schema/index/database.ts';
import { storedName } from '../../schema/index/names.ts';
import type { InventoryRow } from '../../schema/inventory/row.ts';
import { copyRows } from './copy-rows.ts';

/** A name that the judge listed. A listing that was applied page by page keeps the name alone. */
export interface StagedRow extends Omit<Partial<InventoryRow>, 'container' | 'kind'> {
  readonly containerId: number;
  readonly name: string;
}

/**
 * The tables of one run: `listed`, what the judge saw, and `missing`, the live entries that it did not see.
 *
 * They can be filled again from the judge, so they are not logged: a crash of the server empties both at once,
 * and a `listed` that is empty though rows were staged tells (`assertKept`). Absence is concluded from
 * `listed` alone, so nothing may be concluded before that was asked in the same transaction.
 */
export class Staging {
  readonly #index: Index;
  readonly #listed: string;
  readonly #missing: string;

  constructor(index: Index, runId: number) {
    this.#index = index;
    this.#listed = `reconcile_${Math.trunc(runId)}_listed`;
    this.#missing = `reconcile_${Math.trunc(runId)}_missing`;
  }

  get listed() {
    return sql.table(this.#listed);
  }

  get missing() {
    return sql.table(this.#missing);
  }

  /** Makes the tables where they are not there yet. */
  async create(): Promise<void> {
    await sql`
      create unlogged table if not exists ${this.listed} (
        part bigint not null, container_id integer not null,
        head text collate "C" not null, tail text collate "C" not null, tail_hash bytea not null,
        etag text, length bigint, last_modified bigint, blob_type blob_type,
        content_type text, md5 text, tier text, metadata jsonb
      )`.execute(this.#index.db);
    await sql`
      create unlogged table if not exists ${this.missing} (
        container_id integer not null,
        head text collate "C" not null, tail text collate "C" not null, tail_hash bytea not null
      )`.execute(this.#index.db);
  }

  /** Takes back what an attempt that died staged of a part, so that it can be staged anew. */
  async forgetPart(part: number): Promise<void> {
    await sql`delete from ${this.listed} where part = ${part}`.execute(this.#index.db);
  }

  /** Empties both tables. */
  async clear(): Promise<void> {
    await sql`truncate ${this.listed}, ${this.missing}`.execute(this.#index.db);
  }

  /** Copies rows of one part; they are there, all of them, once this returns. */
  async append(part: number, rows: readonly StagedRow[]): Promise<void> {
    if (rows.length === 0) return;
    const client = await this.#index.pool.connect();
    try {
      await copyRows(
        client,
        this.#listed,
        rows.map((row) => {
          const { head, tail, tailHash } = storedName(row.name);
          return [
            ...[part, row.containerId, head, tail, `\\x${tailHash}`],
            ...[row.etag, row.length, row.lastModified, row.blobType, row.contentType, row.md5, row.tier],
            row.metadata && JSON.stringify(row.metadata),
          ];
        }),
      );
      client.release();
    } catch (error) {
      // A connection that failed in mid-copy is not used again.
      client.release(true);
      throw error;
    }
  }

  async count(): Promise<number> {
    const { rows } = await sql<{ count: number }>`select count(*) as count from ${this.listed}`.execute(this.#index.db);
    return rows[0]?.count ?? 0;
  }

  /** Whether anything is listed in this container. */
  async lists(containerId: number): Promise<boolean> {
    const { rows } = await sql<{ any: boolean }>`
      select exists (select from ${this.listed} where container_id = ${containerId}) as any`.execute(this.#index.db);
    return rows[0]?.any === true;
  }

  /** Makes key order cheap, once everything is staged. */
  async seal(): Promise<void> {
    await sql`create index if not exists ${sql.id(`${this.#listed}_key`)} on ${this.listed} (container_id, head, tail_hash)`.execute(
      this.#index.db,
    );
    await sql`create index if not exists ${sql.id(`${this.#missing}_key`)} on ${this.missing} (container_id, head, tail_hash)`.execute(
      this.#index.db,
    );
    await sql`analyze ${this.listed}`.execute(this.#index.db);
  }

  /** Rows that name a blob again. */
  async duplicates(): Promise<number> {
    const { rows } = await sql<{ again: number }>`
      select count(*) - count(distinct (container_id, head, tail_hash)) as again from ${this.listed}`.execute(
      this.#index.db,
    );
    return rows[0]?.again ?? 0;
  }

  /** Fails, to be tried again from the judge, where what was staged is no longer there. */
  async assertKept(on: Queryable, stagedRows: number): Promise<void> {
    if (stagedRows === 0) return;
    const { rows } = await sql<{ kept: boolean }>`select exists (select from ${this.listed}) as kept`.execute(on);
    if (rows[0]?.kept !== true) throw new StagingLost();
  }

  async drop(): Promise<void> {
    await sql`drop table if exists ${this.listed}, ${this.missing}`.execute(this.#index.db);
  }
}

/** The server crashed and emptied the staged rows. */
export class StagingLost extends IsthmusError {
  constructor() {
    super('ISTHMUS_INDEX_UNAVAILABLE', 'The rows that were staged are gone (Postgres restarted): they are read again.');
  }
}

const STAGING_TABLE = '^reconcile_([0-9]+)_(listed|missing)$';

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
