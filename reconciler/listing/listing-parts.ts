import { sql } from 'kysely';
import { plainArray, textArray } from '../../schema/index/arrays.ts';
import type { Queryable, Tx } from '../../schema/index/database.ts';

/** Names of one container that begin with one prefix, listed by one lane. */
export interface ListingPart {
  /** What its rows are staged as; never used twice. */
  readonly part: number;
  readonly containerId: number;
  readonly container: string;
  readonly prefix: string;
  /** `any`: as there is room. `split`: it is long, so that its directories are listed apart. `flat`: there are too many of them. */
  readonly how: 'any' | 'split' | 'flat';
  /** Rows of it may be staged, by an attempt that died. */
  readonly begun: boolean;
}

/** Of a part that was begun anew under another number: its rows are found by it, once all is listed. */
const FORGOTTEN = 'forgotten';

export type NewPart = Omit<ListingPart, 'part' | 'how' | 'begun'>;

/** What a part added to its run's counts, taken back where the part is begun anew. */
export type PartCounts = Readonly<Record<string, number>>;

/**
 * The parts of one run's listing that are not done. Together with what is done they are the whole: a part leaves in the
 * transaction that brings those that it was split into. However many there are, a process holds those that it lists.
 */
export class ListingParts {
  readonly #runId: number;

  constructor(runId: number) {
    this.#runId = runId;
  }

  async clear(tx: Tx): Promise<void> {
    await sql`delete from listing_parts where run_id = ${this.#runId}`.execute(tx);
  }

  async add(tx: Tx, parts: readonly NewPart[]): Promise<void> {
    if (parts.length === 0) return;
    await sql`
      insert into listing_parts (run_id, container_id, container, prefix)
      select ${this.#runId}::int, p.container_id, p.container, p.prefix
      from unnest(
        ${plainArray(parts.map(({ containerId }) => containerId))}::int[],
        ${textArray(parts.map(({ container }) => container))}::text[],
        ${textArray(parts.map(({ prefix }) => prefix))}::text[]
      ) with ordinality as p (container_id, container, prefix, ord)
      order by p.ord desc`.execute(tx);
  }

  /** The newest parts that are not `taken`, so that what a part was split into comes before the next one. */
  async waiting(on: Queryable, taken: readonly number[], limit: number): Promise<readonly ListingPart[]> {
    const { rows } = await sql<ListingPart>`
      select part, container_id as "containerId", container, prefix, how, begun from listing_parts
      where run_id = ${this.#runId} and part <> all(${plainArray(taken)}::int[]) and how <> ${FORGOTTEN}
      order by part desc limit ${limit}`.execute(on);
    return rows;
  }

  /** The parts that an attempt that died was at. */
  async begun(on: Queryable): Promise<readonly ListingPart[]> {
    const { rows } = await sql<ListingPart>`
      select part, container_id as "containerId", container, prefix, how, begun from listing_parts
      where run_id = ${this.#runId} and begun and how <> ${FORGOTTEN} order by part`.execute(on);
    return rows;
  }

  /** What was staged of these parts counts no more. */
  async forgotten(on: Queryable): Promise<readonly number[]> {
    const { rows } = await sql<{ part: number }>`
      select part from listing_parts where run_id = ${this.#runId} and begun and how = ${FORGOTTEN}`.execute(on);
    return rows.map(({ part }) => part);
  }

  /** Notes that rows of this part may be staged from now on. */
  async begin(on: Queryable, { part }: ListingPart): Promise<void> {
    await sql`update listing_parts set begun = true where part = ${part}`.execute(on);
  }

  /** @param counts what it has added by now, in all. */
  async note(tx: Tx, { part }: ListingPart, counts: PartCounts): Promise<void> {
    await sql`update listing_parts set counts = ${JSON.stringify(counts)}::jsonb where part = ${part}`.execute(tx);
  }

  /** The part is to be begun anew, under another number. @returns what it had added. */
  async takeBack(tx: Tx, { part }: ListingPart, how: ListingPart['how']): Promise<PartCounts> {
    const { rows } = await sql<{ counts: PartCounts }>`
      with before as (
        select * from listing_parts where part = ${part}
      ), anew as (
        insert into listing_parts (run_id, container_id, container, prefix, how)
        select run_id, container_id, container, prefix, ${how} from before
      )
      update listing_parts p set counts = '{}', how = ${FORGOTTEN} from before
      where p.part = ${part} returning before.counts`.execute(tx);
    return rows[0]?.counts ?? {};
  }

  async done(tx: Tx, { part }: ListingPart): Promise<void> {
    await sql`delete from listing_parts where part = ${part}`.execute(tx);
  }
}
