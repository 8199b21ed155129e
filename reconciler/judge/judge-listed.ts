import { sql } from 'kysely';
import type { ListedRow } from '../../namespace/change.ts';
import type { Attributes, BlobType, Timestamp } from '../../namespace/entry.ts';
import type { Key } from '../../namespace/key.ts';
import { applyListed } from '../../schema/index/apply-listed.ts';
import type { ContainerRow } from '../../schema/index/containers.ts';
import type { Tx } from '../../schema/index/database.ts';
import { type NewFinding, recordFindings } from '../../schema/index/findings.ts';
import { underLiveRules } from '../../schema/index/live-rules.ts';
import { isDeadSql, lives } from '../../schema/index/lives.ts';
import { wantLooks } from '../../schema/index/looks.ts';
import type { Judging } from '../judging.ts';
import type { RunLedger, Step } from '../run/ledger.ts';
import type { Staging } from '../staging/staging.ts';

/** Rows of a report that are judged in one transaction. */
const PIECE = 5_000;
/** Findings that are kept of one run, for people. */
const MOST_FINDINGS = 1_000;

interface Judged {
  readonly head: string;
  readonly tail: string;
  readonly hash: string;
  readonly etag: string | null;
  readonly length: number | null;
  readonly last_modified: number | null;
  readonly blob_type: BlobType | null;
  readonly content_type: string | null;
  readonly md5: string | null;
  readonly tier: string | null;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly listed_at: Timestamp | null;
  /**
   * `agreed`: nothing to do. `newer`: the entry's version began after the one that the report saw, and the
   * report may have read the blob before. `due`: a look is on its way and will tell more than the report.
   * `judge`: the row goes through `decide`. `look`: the report does not tell enough for that.
   */
  readonly verdict: 'agreed' | 'newer' | 'due' | 'judge' | 'look';
  readonly indexed: boolean;
  /** The entry is of another version. */
  readonly differs: boolean;
}

/**
 * Judges the next piece of one container's rows that did not plainly agree when they were compared, in key order
 * (rule 7 of the clock), against the index as it is now: same ETag fills attributes, every other difference wants
 * a look.
 *
 * @returns false where no row was left.
 */
export async function judgeListedPiece(
  judging: Judging,
  ledger: RunLedger,
  staging: Staging,
  container: ContainerRow & { readonly name: string },
): Promise<boolean> {
  let left = true;
  const { from, to, after } = ledger.state;
  if (from === null) return false;
  await underLiveRules(judging, (rules) =>
    ledger.step(async (tx): Promise<Step> => {
      await staging.assertKept(tx);
      const rows = await readPiece(tx, staging, { accountId: judging.account.id, container, from, after });
      const last = rows.at(-1);
      left = last !== undefined;
      if (last === undefined) return {};
      const page = { account: judging.account, rules: rules.index, ruleRevision: rules.revision };
      const found = await applyListed(tx, {
        ...page,
        policy: { margin: container.margin, looks: true },
        rows: rows
          .filter((row) => row.verdict === 'judge')
          .map((row) => listedRow(row, container.name, { from, to: to ?? from, run: ledger.run.id })),
        // A page of List Blobs is as good as a look for a name that the index has never heard of.
        strong: ledger.state.inventory === null,
      });
      const wanted = await wantLooks(tx, {
        accountId: judging.account.id,
        keys: rows.filter((row) => row.verdict === 'look').map((row) => keyOf(row, container.name)),
        reason: 'listed-differs',
        ruleRevision: rules.revision,
        eventId: `run/${ledger.run.id}`,
        time: ledger.state.from ?? undefined,
      });
      const findings = findingsOf(rows, container.name).slice(0, MOST_FINDINGS - ledger.counts.findings);
      if (findings.length > 0)
        await recordFindings(tx, { accountId: judging.account.id, runId: ledger.run.id }, findings);
      const count = (verdict: Judged['verdict']) => rows.filter((row) => row.verdict === verdict).length;
      return {
        state: { after: { container: container.id, head: last.head, hash: last.hash } },
        counts: {
          agreed: count('agreed') + found.unchanged,
          newer: count('newer'),
          filled: found.filled,
          applied: found.applied,
          looks: found.looks + wanted + count('due'),
          findings: findings.length,
        },
      };
    }),
  );
  return left;
}

async function readPiece(
  tx: Tx,
  staging: Staging,
  of: {
    readonly accountId: number;
    readonly container: ContainerRow;
    readonly from: Timestamp;
    readonly after: { readonly container: number; readonly head: string; readonly hash: string } | null;
  },
): Promise<readonly Judged[]> {
  const { accountId, container, from } = of;
  const after = of.after?.container === container.id ? of.after : { head: '', hash: '' };
  const { rows } = await sql<Judged>`
    with page as (
      select * from ${staging.differing}
      where container_id = ${container.id} and (head, tail_hash) > (${after.head}, decode(${after.hash}, 'hex'))
      order by head, tail_hash
      limit ${PIECE}
    )
    select p.head, p.tail, encode(p.tail_hash, 'hex') as hash, p.etag, p.length, p.last_modified, p.blob_type,
      p.content_type, p.md5, p.tier, p.metadata, p.listed_at, e.revision is not null as indexed,
      p.etag is not null and p.etag is distinct from e.etag as differs,
      case
        when e.live and not e.look_due and not ${isDeadSql}
          and coalesce(p.etag, e.etag) = e.etag and coalesce(p.length, e.length) = e.length
          and (p.blob_type is null or p.blob_type is not distinct from e.blob_type)
          and (p.last_modified is null or p.last_modified is not distinct from e.last_modified)
          and (p.content_type is null or p.content_type is not distinct from e.content_type)
          and (p.md5 is null or p.md5 is not distinct from e.md5)
          and (p.tier is null or p.tier is not distinct from e.tier)
          and (p.metadata is null or p.metadata is not distinct from e.metadata) then 'agreed'
        when p.etag is distinct from e.etag and p.last_modified + ${container.margin} < e.seen
          and e.seen + ${container.margin} > ${from}::bigint then 'newer'
        when e.look_due then 'due'
        when p.etag is null or p.length is null then case
          when e.live and not ${isDeadSql}
            and coalesce(p.etag, e.etag) = e.etag and coalesce(p.length, e.length) = e.length
            and (p.last_modified is null or e.last_modified is null or p.last_modified = e.last_modified)
            then 'agreed'
          else 'look' end
        else 'judge'
      end as verdict
    from page p cross join ${lives([container])} left join entries e on e.account_id = ${accountId} and e.container_id = ${container.id}
      and e.head = p.head and e.tail_hash = p.tail_hash
    order by p.head, p.tail_hash`.execute(tx);
  return rows;
}

function keyOf(row: Judged, container: string): Key {
  return { container, name: row.head + row.tail };
}

function listedRow(
  row: Judged,
  container: string,
  seen: { readonly from: Timestamp; readonly to: Timestamp; readonly run: number },
): ListedRow {
  const found: Attributes = {
    etag: row.etag ?? '',
    length: row.length ?? 0,
    blobType: row.blob_type ?? undefined,
    contentType: row.content_type ?? undefined,
    md5: row.md5 ?? undefined,
    lastModified: row.last_modified ?? undefined,
    tier: row.tier ?? undefined,
    metadata: row.metadata ?? undefined,
  };
  const [from, to] = [row.listed_at ?? seen.from, row.listed_at ?? seen.to];
  return { kind: 'listed', ...keyOf(row, container), found, from, to, eventId: `run/${seen.run}` };
}

/** Same-version rows only fill attributes; they are no drift. */
function findingsOf(rows: readonly Judged[], container: string): readonly NewFinding[] {
  return rows
    .filter((row) => row.verdict === 'look' || (row.verdict === 'judge' && row.differs))
    .map((row) => ({
      ...keyOf(row, container),
      difference: row.indexed ? 'other-version' : 'not-indexed',
      cause: 'unexplained',
      state: 'looking',
      evidence: { judge: { etag: row.etag ?? undefined, length: row.length ?? undefined } },
    }));
}
