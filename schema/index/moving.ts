import { sql } from 'kysely';
import type { Queryable } from './database.ts';

/** What the index has to do before nothing is on its way, counted no further than is worth saying. */
export interface Moving {
  /** No more than `MANY`. */
  readonly looks: number;
  /** Containers of which entries of a dead incarnation are left. */
  readonly sweeps: number;
  /** Directories that were deleted or renamed, and are not gone through or not listed yet. No more than `MANY`. */
  readonly subtrees: number;
  /** By sink, each no more than `MANY`. */
  readonly stubs: readonly { readonly sink: string; readonly due: number }[];
  /** Reconciles that have not ended, of the account and of sinks. */
  readonly runs: readonly { readonly id: number; readonly sink: string | undefined; readonly waits: boolean }[];
}

/** Beyond this, what is on its way is not counted. */
export const MANY = 1_000;

/** A run that has not ended is among so many, in a federation of fewer sinks. */
const RECENT_RUNS = 100;

/**
 * Cheap enough for several times a second, however large the index and its backlog are: each part is a short walk
 * over an index of what is due. Counting every entry instead takes a second for each million.
 */
export async function readMoving(on: Queryable, accountId: number): Promise<Moving> {
  const { rows } = await sql<Row>`
    select 'look' as part, null as sink, count(*) as due
      from (select from looks where account_id = ${accountId} limit ${MANY}) as q
    union all
    select 'sweep', null, count(*)
      from (select from containers where account_id = ${accountId} and sweep_due limit ${MANY}) as c
    union all
    select 'subtree', null, count(*)
      from (select from subtrees where account_id = ${accountId} and listed_at is null limit ${MANY}) as d
    union all
    select 'stub', s.name, (
        select count(*) from (
          select from entries as e where e.account_id = ${accountId} and e.sink_id = s.id and e.stub_due limit ${MANY}
        ) as due
      )
      from sinks as s where s.account_id = ${accountId}
    union all
    select case when waiting_since is null then 'run' else 'wait' end, sink, id
      from (select * from runs where account_id = ${accountId} order by id desc limit ${RECENT_RUNS}) as r
      where outcome is null
    order by part, sink, due`.execute(on);
  const of = (part: Row['part']) => rows.find((row) => row.part === part)?.due ?? undefined;
  const stubs = rows.flatMap(({ part, sink, due }) =>
    part === 'stub' && sink !== null && due !== null ? [{ sink, due }] : [],
  );
  const [looks, sweeps, subtrees] = [of('look') ?? 0, of('sweep') ?? 0, of('subtree') ?? 0];
  const runs = rows.flatMap(({ part, sink, due }) =>
    (part === 'run' || part === 'wait') && due !== null
      ? [{ id: due, sink: sink ?? undefined, waits: part === 'wait' }]
      : [],
  );
  return { looks, sweeps, subtrees, stubs, runs };
}

interface Row {
  readonly part: 'look' | 'sweep' | 'subtree' | 'stub' | 'run' | 'wait';
  readonly sink: string | null;
  readonly due: number | null;
}
