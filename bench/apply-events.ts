import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { compileRules } from '../namespace/authority.ts';
import type { BlobEvent } from '../namespace/change.ts';
import { DEFAULT_MARGIN } from '../namespace/decision.ts';
import { epochAt } from '../namespace/epoch.ts';
import { parseSequencer } from '../namespace/sequencer.ts';
import { ensureAccount } from '../schema/index/accounts.ts';
import { applyEvents } from '../schema/index/apply-events.ts';
import { publishRules } from '../schema/index/authority-revisions.ts';
import { type Index, openIndex } from '../schema/index/database.ts';
import { digestEntries } from '../schema/index/queries.ts';
import { transact } from '../schema/index/transact.ts';

export interface ApplyBenchmark {
  readonly rows: number;
  readonly page: number;
  /** Rows a second, one connection, a transaction a page, folding and encoding included. */
  readonly perSecond: {
    /** The same rows by a plain `insert ... on conflict do update where newer` into a table as wide, without our rules. */
    readonly baseline: number;
    /** 70 % of the names are new. */
    readonly first: number;
    /** Every name again, newer. */
    readonly overwrite: number;
    /** The same events once more: nothing changes. */
    readonly replay: number;
    /** As `first`, by the rules of a replayed folder. */
    readonly records: number;
    readonly digest: number;
  };
  /** `first / baseline`. */
  readonly ratio: number;
}

const T0 = 1_700_000_000_000;
const RULES = [{ prefix: '', authority: 'blob' as const, sink: 'vast' }];

/** Measures how fast pages of events are applied to a migrated index. Leaves accounts of its own behind. */
export async function runApplyEvents(url: string, rows = 200_000, page = 5_000): Promise<ApplyBenchmark> {
  const index = openIndex(url);
  try {
    const rules = compileRules({ revision: 1, rules: RULES });
    const fresh = async () => {
      const account = await ensureAccount(index, randomUUID());
      await publishRules(index, account.id, RULES, 'bench');
      return account;
    };
    const account = await fresh();
    const apply = async (looks: boolean, into: typeof account, events: readonly BlobEvent[]) => {
      const policy = { margin: DEFAULT_MARGIN, looks };
      await transact(index, (tx) => applyEvents(tx, { account: into, rules, ruleRevision: 1, policy, events }));
    };
    const early = pages(rows, page, 0);
    const late = pages(rows, page, rows);
    await baselineTable(index);
    const baseline = await rate(rows, early, (events) => baselinePage(index, events));
    await sql`drop table bench_baseline`.execute(index.db);
    const first = await rate(rows, early, (events) => apply(true, account, events));
    const replay = await rate(rows, early, (events) => apply(true, account, events));
    const overwrite = await rate(rows, late, (events) => apply(true, account, events));
    const folder = await fresh();
    const records = await rate(rows, early, (events) => apply(false, folder, events));
    const started = performance.now();
    const { entries } = await digestEntries(index, account.id, '');
    const digest = Math.round((entries * 1_000) / (performance.now() - started));
    const ratio = Math.round((first / baseline) * 100) / 100;
    return { rows, page, perSecond: { baseline, first, overwrite, replay, records, digest }, ratio };
  } finally {
    await index.close();
  }
}

/** Events in the order of a feed: names of some 60 bytes, three in ten of them seen before. */
export function pages(rows: number, size: number, from: number): readonly (readonly BlobEvent[])[] {
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
      container: 'lake',
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

async function rate<T>(rows: number, list: readonly T[], apply: (page: T) => Promise<void>): Promise<number> {
  const started = performance.now();
  for (const page of list) await apply(page);
  return Math.round((rows * 1_000) / (performance.now() - started));
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
