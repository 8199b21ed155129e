import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import { listContainers } from '../../schema/index/containers.ts';
import type { Tx } from '../../schema/index/database.ts';
import { attributesOf, type EntryColumns } from '../../schema/index/entry-row.ts';
import { type LiveRules, underLiveRules } from '../../schema/index/live-rules.ts';
import { isDeadSql, lives } from '../../schema/index/lives.ts';
import { type FindingScope, findingOf, type IndexedVersion } from '../causes/finding-of.ts';
import { keepFindings } from '../judge/keep-findings.ts';
import type { Judging } from '../judging.ts';
import type { RunLedger, Step } from '../run/ledger.ts';
import type { Staging } from '../staging/staging.ts';

/** Missing names of one transaction. */
const PIECE = 5_000;

interface Missing {
  readonly container: number;
  readonly name: string;
  readonly head: string;
  readonly hash: string;
  /** Undefined where it is missing no more: it is a tombstone by now, was told of since, or something else looks at it. */
  readonly entry: IndexedVersion | undefined;
}

/**
 * Notes the next of the names that the judge did not list, in key order, as findings that are held: until the percent
 * stop was asked, nothing is asked for (invariant 7).
 *
 * @returns false where none was left.
 */
export async function planMissingPiece(
  judging: Judging,
  ledger: RunLedger,
  staging: Staging,
  scope: FindingScope,
): Promise<boolean> {
  let left = true;
  const containers = await listContainers(judging.index.db, judging.account.id);
  const byId = new Map(containers.map((container) => [container.id, container]));
  const step = (rules: LiveRules) =>
    ledger.step(
      async (tx): Promise<Step> => {
        await staging.assertKept(tx);
        const { after, goneContainers } = ledger.state;
        const before = scope.from - scope.margin;
        const known = lives(containers);
        const rows = await readMissing(tx, staging, { accountId: judging.account.id, known, before, after });
        const last = rows.at(-1);
        left = last !== undefined;
        if (last === undefined) return {};
        const byRule = { ...ledger.state.missingByRule };
        const findings = rows.flatMap(({ container: id, name, entry: index }) => {
          const container = byId.get(id);
          if (container === undefined || index === undefined) return [];
          const key = { container: container.name, name };
          const rule = rules.index.match(key);
          if (rule?.authority !== 'blob') return [];
          byRule[rule.prefix] = (byRule[rule.prefix] ?? 0) + 1;
          const incarnation = goneContainers.includes(id) ? ('gone' as const) : undefined;
          return findingOf(scope, { key, difference: 'not-listed', index, state: 'held', container, incarnation });
        });
        return {
          state: { after: { container: last.container, head: last.head, hash: last.hash }, missingByRule: byRule },
          counts: await keepFindings(tx, ledger, findings),
        };
      },
      { byKey: true },
    );
  await underLiveRules(judging, step);
  return left;
}

interface Row {
  readonly container_id: number;
  readonly head: string;
  readonly tail: string;
  readonly hash: string;
  readonly entry: Omit<EntryColumns, 'sequencer' | 'epoch'> | null;
}

async function readMissing(
  tx: Tx,
  staging: Staging,
  of: {
    readonly accountId: number;
    readonly known: ReturnType<typeof lives>;
    readonly before: Timestamp;
    readonly after: { readonly container: number; readonly head: string; readonly hash: string } | null;
  },
): Promise<readonly Missing[]> {
  const { accountId, known, before } = of;
  const after = of.after ?? { container: 0, head: '', hash: '' };
  const { rows } = await sql<Row>`
    with page as (
      select * from ${staging.missing}
      where (container_id, head, tail_hash) > (${after.container}::int, ${after.head}, decode(${after.hash}, 'hex'))
      order by container_id, head, tail_hash limit ${PIECE}
    )
    select p.container_id, p.head, p.tail, encode(p.tail_hash, 'hex') as hash,
      case when e.live and not ${isDeadSql} and e.seen < ${before}::bigint
        and (not e.look_due or q.reason in ('listed-differs', 'not-listed'))
        then json_build_object(
          'live', e.live, 'etag', e.etag, 'length', e.length, 'blob_type', e.blob_type, 'tier', e.tier,
          'last_modified', e.last_modified, 'seen', e.seen, 'source', e.source) end as entry
    from page p join ${known} on k.container_id = p.container_id
      left join entries e on e.account_id = ${accountId} and e.container_id = p.container_id
        and e.head = p.head and e.tail_hash = p.tail_hash
      left join looks q on q.account_id = ${accountId} and q.container_id = p.container_id
        and q.head = p.head and q.tail_hash = p.tail_hash
    order by p.container_id, p.head, p.tail_hash`.execute(tx);
  return rows.map(({ container_id, head, tail, hash, entry }) => ({
    ...{ container: container_id, name: head + tail, head, hash },
    entry: entry === null ? undefined : { ...attributesOf(entry), live: true, seen: entry.seen, source: entry.source },
  }));
}
