import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { sql } from 'kysely';
import { compileRules } from '../namespace/authority.ts';
import type { BlobEvent } from '../namespace/change.ts';
import { DEFAULT_MARGIN } from '../namespace/decision.ts';
import { epochAt } from '../namespace/epoch.ts';
import { parseSequencer } from '../namespace/sequencer.ts';
import { type Account, ensureAccount } from '../schema/index/accounts.ts';
import { applyEvents } from '../schema/index/apply-events.ts';
import { publishRules } from '../schema/index/authority-revisions.ts';
import { type Index, openIndex } from '../schema/index/database.ts';
import { digestEntries } from '../schema/index/queries.ts';
import { transact } from '../schema/index/transact.ts';

/** A phase of the benchmark, each in the middle of the run that the others are in. */
export interface Pace {
  /** Rows a second, a transaction a page, folding and encoding included. */
  readonly perSecond: number;
  /** Microseconds of processor for each row: what binds where pages of several shards are applied at once, and what another's load on the machine changes least. */
  readonly cpuPerRow: { readonly node: number; readonly postgres: number };
}

export interface ApplyBenchmark {
  readonly rows: number;
  readonly page: number;
  /** One page after the other, on one connection. */
  readonly paces: {
    /** The same rows by a plain `insert ... on conflict do update where newer` into a table as wide, without our rules. */
    readonly baseline: Pace;
    /** 70 % of the names are new. */
    readonly first: Pace;
    /** Every name again, newer. */
    readonly overwrite: Pace;
    /** The same events once more: nothing changes. */
    readonly replay: Pace;
    /** As `first`, by the rules of a replayed folder. */
    readonly records: Pace;
  };
  /** Pages over disjoint names at once, so that one lane folds while Postgres works for another. */
  readonly lanes: { readonly count: number; readonly first: Pace; readonly overwrite: Pace; readonly replay: Pace };
  /** Rows a second. */
  readonly digest: number;
  /** `first / baseline`. */
  readonly ratio: number;
}

const T0 = 1_700_000_000_000;
const RULES = [{ prefix: '', authority: 'blob' as const, sink: 'vast' }];

/** Measures how fast pages of events are applied to a migrated index. Leaves accounts of its own behind. */
export async function runApplyEvents(url: string, rows = 200_000, page = 5_000, lanes = 2): Promise<ApplyBenchmark> {
  const index = openIndex(url);
  try {
    const rules = compileRules({ revision: 1, rules: RULES });
    const fresh = async () => {
      const account = await ensureAccount(index, randomUUID());
      await publishRules(index, account.id, RULES, 'bench');
      return account;
    };
    const apply = (into: Account, looks = true) => {
      const policy = { margin: DEFAULT_MARGIN, looks };
      return async (events: readonly BlobEvent[]) => {
        await transact(index, (tx) => applyEvents(tx, { account: into, rules, ruleRevision: 1, policy, events }));
      };
    };
    const early = pages(rows, page, 0);
    const late = pages(rows, page, rows);
    const pace = (lists: readonly Pages[], work: (events: readonly BlobEvent[]) => Promise<void>) =>
      paceOf(index, lists, work);

    await baselineTable(index);
    const baseline = await pace([early], (events) => baselinePage(index, events));
    await sql`drop table bench_baseline`.execute(index.db);
    const account = await fresh();
    const first = await pace([early], apply(account));
    const replay = await pace([early], apply(account));
    const overwrite = await pace([late], apply(account));
    const records = await pace([early], apply(await fresh(), false));

    const wide = await fresh();
    const sides = (from: number) =>
      Array.from({ length: lanes }, (_, lane) => pages(Math.ceil(rows / lanes), page, from, `lake-${lane}`));
    const besides = { first: sides(0), overwrite: sides(rows) };
    const lanesFirst = await pace(besides.first, apply(wide));
    const lanesReplay = await pace(besides.first, apply(wide));
    const lanesOverwrite = await pace(besides.overwrite, apply(wide));

    const started = performance.now();
    const { entries } = await digestEntries(index, account.id, '');
    const digest = Math.round((entries * 1_000) / (performance.now() - started));
    const ratio = Math.round((first.perSecond / baseline.perSecond) * 100) / 100;
    return {
      rows,
      page,
      paces: { baseline, first, overwrite, replay, records },
      lanes: { count: lanes, first: lanesFirst, overwrite: lanesOverwrite, replay: lanesReplay },
      digest,
      ratio,
    };
  } finally {
    await index.close();
  }
}

type Pages = readonly (readonly BlobEvent[])[];

/** Works the lists off side by side, each in its order. */
async function paceOf(
  index: Index,
  lists: readonly Pages[],
  work: (events: readonly BlobEvent[]) => Promise<void>,
): Promise<Pace> {
  const rows = lists.flat(2).length;
  const postgresBefore = await postgresCpu(index);
  const nodeBefore = process.cpuUsage();
  const started = performance.now();
  await Promise.all(
    lists.map(async (list) => {
      for (const events of list) await work(events);
    }),
  );
  const seconds = (performance.now() - started) / 1_000;
  const { user, system } = process.cpuUsage(nodeBefore);
  const postgres = (await postgresCpu(index)) - postgresBefore;
  const perRow = (microseconds: number) => Math.round((microseconds * 10) / rows) / 10;
  return {
    perSecond: Math.round(rows / seconds),
    cpuPerRow: { node: perRow(user + system), postgres: perRow(postgres) },
  };
}

/** Microseconds that the server's processes have used for their clients, as Linux counts them: 10 ms a tick. Zero where it runs elsewhere. */
async function postgresCpu(index: Index): Promise<number> {
  const { rows } = await sql<{ pid: number }>`
    select pid from pg_stat_activity where datname = current_database() and backend_type = 'client backend'`.execute(
    index.db,
  );
  const ticks = await Promise.all(
    rows.map(async ({ pid }) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
    }),
  );
  return ticks.reduce((sum, each) => sum + each, 0) * 10_000;
}

/** Events in the order of a feed: names of some 60 bytes, three in ten of them seen before. */
export function pages(rows: number, size: number, from: number, container = 'lake'): Pages {
  const names = Math.ceil(rows * 0.7);
  const epoch = epochAt(T0 - 1_000_000);
  const list: BlobEvent[][] = [];
  for (let at = 0; at < rows; at++) {
    if (at % size === 0) list.push([]);
    const order = from + at + 1;
    const id = (Math.imul(at % names, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');
    list.at(-1)?.push({
      kind: 'event',
      source: 'feed',
      effect: 'put',
      container,
      name: `landing/year=2026/month=11/day=21/part-${id}-${at % names}.parquet`,
      attributes: {
        etag: `0x8DC${order.toString(16).toUpperCase().padStart(12, '0')}`,
        length: order * 1_000,
        blobType: 'BlockBlob',
        contentType: 'application/octet-stream',
      },
      sequencer: parseSequencer(order.toString(16)),
      epoch,
      time: T0 + order,
      eventId: `${id}-d01e-0000-2c1b-b84d${order.toString(16).padStart(8, '0')}`,
      api: 'PutBlob',
    });
  }
  return list;
}

/** A table as wide as the index's, in one piece. */
export async function baselineTable(index: Index): Promise<void> {
  await sql`drop table if exists bench_baseline`.execute(index.db);
  await sql`
    create table bench_baseline (
      account int, container int, name text collate "C", live boolean, etag text, length bigint, blob_type text,
      content_type text, sequencer text, epoch text, seen bigint, source text, event_id text, event_time bigint,
      rule_revision int, stub_due boolean, changed_at bigint, primary key (account, container, name)
    )`.execute(index.db);
  await sql`create index on bench_baseline (account, changed_at) where stub_due`.execute(index.db);
}

/** The newest of each name by one plain upsert. */
export async function baselinePage(index: Index, events: readonly BlobEvent[]): Promise<void> {
  const latest = [...new Map(events.map((event) => [event.name, event])).values()].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  await transact(index, async (tx) => {
    await sql`
      insert into bench_baseline as b
      select 1, 1, name, true, etag, length, 'BlockBlob', content_type, sequencer, epoch, seen, 'feed', event_id,
        seen, 1, true, 1
      from unnest(
        ${latest.map(({ name }) => name)}::text[], ${latest.map(({ attributes }) => attributes?.etag)}::text[],
        ${latest.map(({ attributes }) => attributes?.length)}::bigint[],
        ${latest.map(({ attributes }) => attributes?.contentType)}::text[],
        ${latest.map(({ sequencer }) => sequencer)}::text[], ${latest.map(({ epoch }) => epoch)}::text[],
        ${latest.map(({ time }) => time)}::bigint[], ${latest.map(({ eventId }) => eventId)}::text[]
      ) as x (name, etag, length, content_type, sequencer, epoch, seen, event_id)
      on conflict (account, container, name) do update set
        etag = excluded.etag, length = excluded.length, sequencer = excluded.sequencer, seen = excluded.seen,
        event_id = excluded.event_id, stub_due = true
      where b.sequencer < excluded.sequencer`.execute(tx);
  });
}
