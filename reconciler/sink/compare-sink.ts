import { sql } from 'kysely';
import { listContainers } from '../../schema/index/containers.ts';
import type { Tx } from '../../schema/index/database.ts';
import { isDeadSql, lives } from '../../schema/index/lives.ts';
import { readSinks } from '../../schema/index/sinks.ts';
import { isOnItsWaySql } from '../../schema/index/stubs.ts';
import { LONG_STATEMENT_MS } from '../run/ledger.ts';
import type { Pair } from '../staging/partitions.ts';
import type { SinkJudging } from './sink-judging.ts';
import type { SinkLedger } from './sink-ledger.ts';
import type { SinkStaging } from './sink-staging.ts';

/** Of a hash join; what does not fit is joined in pieces on disk. */
const WORK_MEM = '128MB';

/**
 * The phase `compare`: holds the files that were walked against the entries of the sink, partition by partition, each in
 * one transaction that nothing waits for. Names of which the two do not plainly agree become suspects; what is on its way,
 * or has changed since the walk began, does not. Ends in `check`.
 */
export async function compareSink(
  judging: SinkJudging,
  ledger: SinkLedger,
  staging: SinkStaging,
  signal: AbortSignal,
): Promise<void> {
  const pairs = await staging.pairs();
  await ledger.step(async () => ({ state: { pairs: pairs.length } }));
  for (const pair of pairs) {
    if (ledger.state.compared.includes(pair.name)) continue;
    signal.throwIfAborted();
    await ledger.step(
      async (tx) => {
        await staging.assertKept(tx);
        const counts = await comparePair(tx, judging, ledger, staging, pair);
        return { state: { compared: [...ledger.state.compared, pair.name] }, counts };
      },
      { statementMs: LONG_STATEMENT_MS },
    );
  }
  await ledger.step(async () => ({ state: { phase: 'check', after: 0 } }));
}

async function comparePair(
  tx: Tx,
  { account }: SinkJudging,
  { run, state }: SinkLedger,
  staging: SinkStaging,
  { entries, listed: files }: Pair,
): Promise<{ readonly live: number; readonly suspects: number }> {
  await sql`select set_config('work_mem', ${WORK_MEM}, true), set_config('enable_mergejoin', 'off', true)`.execute(tx);
  const containers = await listContainers(tx, account.id);
  const sinkId = (await readSinks(tx, account.id)).get(run.sink ?? '') ?? null;
  const before = (state.from ?? 0) - account.margin;
  const ofSink = sql`
    from ${entries} as e join ${lives(containers)} on k.container_id = e.container_id
    where e.account_id = ${account.id} and e.sink_id = ${sinkId}::smallint`;
  const { rows } = await sql<{ live: number; suspects: number }>`
    with found as (
      insert into ${staging.suspects} (container, name)
      select c.name, d.head || d.tail
      from (
        select coalesce(i.container_id, f.container_id) as container_id, coalesce(i.head, f.head) as head,
          coalesce(i.tail, f.tail) as tail
        from (
          select e.container_id, e.head, e.tail, e.tail_hash, e.etag, e.length, e.stub_state::text as state,
            e.live and not ${isDeadSql} as live, not ${isOnItsWaySql} and e.changed_at < ${before}::bigint as settled
          ${ofSink}
        ) as i full join ${files} as f
          on f.container_id = i.container_id and f.head = i.head and f.tail_hash = i.tail_hash
        where case
          when i.container_id is null or f.stray then true
          when f.container_id is null then i.settled and i.live
          else i.settled and (i.live and f.etag = i.etag and f.length = i.length and f.state = i.state and not f.damaged) is not true
        end
      ) as d join containers as c on c.account_id = ${account.id} and c.id = d.container_id
      order by c.name, d.head, d.tail
      returning 1
    )
    select (select count(*) from found) as suspects,
      (select count(*) from (select ${sql.raw('e.live')} and not ${isDeadSql} as live ${ofSink}) as each where live) as live`.execute(
    tx,
  );
  return rows[0] ?? { live: 0, suspects: 0 };
}
