import { type RawBuilder, sql } from 'kysely';
import type { ContainerRow } from '../../schema/index/containers.ts';
import type { Tx } from '../../schema/index/database.ts';
import { isDeadSql, lives } from '../../schema/index/lives.ts';
import { blobTypeOf } from '../../schema/inventory/row.ts';
import type { Judging } from '../judging.ts';
import type { RunLedger, Step } from '../run/ledger.ts';
import type { InventoryOfRun } from '../run/run-state.ts';
import type { NameRange } from '../scope/key-set.ts';
import { inRange } from '../scope/range-sql.ts';
import type { Staging } from '../staging/staging.ts';

/** Entries that are walked in one transaction. */
const PIECE = 20_000;
const ALL_TYPES = ['BlockBlob', 'AppendBlob', 'PageBlob'];

/**
 * Walks the next piece of one container's entries, in key order, and notes those that are live, were seen
 * before the judge began, and that it did not list though it should have (invariant 7). Nothing is asked for
 * yet: how many they are decides that.
 *
 * @returns false where no entry was left in this range.
 */
export async function findMissingPiece(
  judging: Judging,
  ledger: RunLedger,
  staging: Staging,
  of: { readonly container: ContainerRow; readonly range: NameRange },
): Promise<boolean> {
  let left = true;
  const { from, stagedRows, after, inventory } = ledger.state;
  if (from === null) return false;
  const { container, range } = of;
  const start = after?.container === container.id ? after : { head: '', hash: '' };
  await ledger.step(async (tx): Promise<Step> => {
    await staging.assertKept(tx, stagedRows);
    const piece = await walk(tx, staging, {
      container,
      within: sql`e.account_id = ${judging.account.id} and e.container_id = ${container.id}
        and (e.head, e.tail_hash) > (${start.head}, decode(${start.hash}, 'hex')) and ${inRange(range)}`,
      ofTypes: ofTypes(inventory),
      before: from - of.container.margin,
    });
    left = piece.head !== null;
    if (piece.head === null || piece.hash === null) return {};
    return {
      state: { after: { container: container.id, head: piece.head, hash: piece.hash } },
      counts: { live: piece.live, missing: piece.missing },
    };
  });
  return left;
}

interface Piece {
  readonly live: number;
  readonly missing: number;
  readonly head: string | null;
  readonly hash: string | null;
}

async function walk(
  tx: Tx,
  staging: Staging,
  of: {
    readonly container: ContainerRow;
    readonly within: RawBuilder<unknown>;
    readonly ofTypes: RawBuilder<unknown>;
    readonly before: number;
  },
): Promise<Piece> {
  const { rows } = await sql<Piece>`
    with page as materialized (
      select e.head, e.tail, e.tail_hash, e.seen,
        e.live and ${of.ofTypes} and not ${isDeadSql} as counts
      from entries e cross join ${lives([of.container])} where ${of.within}
      order by e.head, e.tail_hash limit ${PIECE}
    ), kept as (
      insert into ${staging.missing} (container_id, head, tail, tail_hash)
      select ${of.container.id}::int, p.head, p.tail, p.tail_hash from page p
      where p.counts and p.seen < ${of.before}::bigint and not exists (
        select from ${staging.listed} l
        where l.container_id = ${of.container.id} and l.head = p.head and l.tail_hash = p.tail_hash)
      returning 1
    ), last as (select head, tail_hash from page order by head desc, tail_hash desc limit 1)
    select (select count(*) from page where counts) as live, (select count(*) from kept) as missing,
      (select head from last) as head, (select encode(tail_hash, 'hex') from last) as hash`.execute(tx);
  return rows[0] ?? { live: 0, missing: 0, head: null, hash: null };
}

/** A rule for some types of blobs says nothing of the others, nor of an entry whose type is not known. */
function ofTypes(inventory: InventoryOfRun | null): RawBuilder<unknown> {
  const listed = (inventory?.filters.blobTypes ?? []).map((type) => blobTypeOf(type));
  if (listed.length === 0 || ALL_TYPES.every((type) => listed.some((each) => each === type))) return sql`true`;
  const known = listed.filter((type) => type !== undefined);
  return sql`(e.blob_type is not null and e.blob_type::text = any(${sql.val(known)}::text[]))`;
}
