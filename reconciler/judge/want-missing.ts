import { sql } from 'kysely';
import { type NewFinding, recordFindings } from '../../schema/index/findings.ts';
import { underLiveRules } from '../../schema/index/live-rules.ts';
import { wantLooks } from '../../schema/index/looks.ts';
import type { Judging } from '../judging.ts';
import type { RunLedger, Step } from '../run/ledger.ts';
import type { Staging } from '../staging/staging.ts';

const PIECE = 1_000;
const MOST_FINDINGS = 1_000;

/**
 * Asks for a look at each of the next missing names: only a 404 of its own makes a tombstone (invariant 7).
 *
 * @returns false where none was left.
 */
export async function wantMissingPiece(judging: Judging, ledger: RunLedger, staging: Staging): Promise<boolean> {
  let left = true;
  await underLiveRules(judging, (rules) =>
    ledger.step(async (tx): Promise<Step> => {
      await staging.assertKept(tx);
      const { rows } = await sql<{ container: string; name: string }>`
        with piece as (
          select ctid from ${staging.missing} order by container_id, head, tail_hash limit ${PIECE}
        ), taken as (
          delete from ${staging.missing} m using piece where m.ctid = piece.ctid
          returning m.container_id, m.head, m.tail
        )
        select c.name as container, t.head || t.tail as name
        from taken t join containers c on c.account_id = ${judging.account.id} and c.id = t.container_id
        order by 1, t.head, t.tail`.execute(tx);
      left = rows.length > 0;
      if (!left) return {};
      const looks = await wantLooks(tx, {
        accountId: judging.account.id,
        keys: rows,
        reason: 'not-listed',
        ruleRevision: rules.revision,
        eventId: `run/${ledger.run.id}`,
        time: ledger.state.from ?? undefined,
      });
      const findings = rows.slice(0, Math.max(0, MOST_FINDINGS - ledger.counts.findings)).map((key): NewFinding => {
        return { ...key, difference: 'not-listed', cause: 'unexplained', state: 'looking', evidence: {} };
      });
      if (findings.length > 0)
        await recordFindings(tx, { accountId: judging.account.id, runId: ledger.run.id }, findings);
      return { counts: { looks, findings: findings.length } };
    }),
  );
  return left;
}
