import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { LANES } from '../activities/azure/feed-reader.ts';
import { connectionStringOn } from '../infra/local/storage/account.ts';
import { type Index, openIndex } from '../schema/index/database.ts';
import { runPart, startPart } from './child.ts';
import type { RawFigures } from './feed/raw.process.ts';
import type { TailFigures } from './feed/tail.process.ts';
import { type FeedPlan, type WrittenFeed, writeFeed } from './feed/write-feed.ts';

export interface FeedBenchOptions extends FeedPlan {
  /** Where the feed is kept for the next run; made where there is none. @default a temporary folder */
  readonly folder?: string | undefined;
  /** How many records each baseline takes; 0 leaves it out. */
  readonly sdkRecords: number;
  readonly rawRecords: number;
}

export interface FeedBenchmark {
  readonly bench: 'feed';
  readonly records: number;
  /** From the first request to the last commit: bytes to index, durable, with stub marks and cursor. */
  readonly seconds: number;
  readonly perSecond: number;
  /** Of the process that reads and applies. */
  readonly peakRssMiB: number;
  /** The whole feed again over the full index, after a rewind. */
  readonly replayPerSecond: number;
  /** Entries whose row any transaction of the replay wrote. */
  readonly replayRowsChanged: number;
  readonly baselines: {
    /** The official package, applying nothing. */
    readonly sdkReaderPerSecond: number | null;
    /** The same rows by a plain upsert into an equal table, on one connection. */
    readonly rawUpsertPerSecond: number | null;
    /** The same pages again, put over older rows only: nothing changes. */
    readonly rawReplayPerSecond: number | null;
  };
  readonly ratios: {
    readonly toSdkReader: number | null;
    readonly toRawUpsert: number | null;
    /** Of the replay to the plain one. */
    readonly toRawReplay: number | null;
  };
  /** As many connections as the tail has lanes. */
  readonly rawUpsertParallelPerSecond: number | null;
  readonly rawReplayParallelPerSecond: number | null;
  readonly replayPeakRssMiB: number;
  readonly cpuSeconds: number;
  readonly pageRecords: number;
  readonly applied: number;
  readonly entries: number;
  readonly feed: WrittenFeed;
}

const ABOUT = 'about.json';

interface Part {
  readonly records: number;
  readonly seconds: number;
}

/**
 * Measures the change feed from bytes to index on a migrated index: a feed by the front's own writer, served over
 * HTTP by a small read-only blob server, each side in a process of its own.
 */
export async function runFeed(url: string, options: FeedBenchOptions, say: (text: string) => void) {
  const temporary = options.folder === undefined ? await mkdtemp(join(tmpdir(), 'isthmus-bench-feed-')) : undefined;
  const folder = options.folder ?? temporary ?? '';
  const index = openIndex(url);
  try {
    const feed = await ensureFeed(folder, options, say);
    await using server = await startPart<{ readonly port: number }>('feed/serve', { folder });
    const places = { connectionString: connectionStringOn(server.port), url };
    const part = async <Figures extends Part>(name: string, argument: object): Promise<Figures> => {
      await sql`checkpoint`.execute(index.db);
      const figures = await runPart<Figures>(`feed/${name}`, { ...places, ...argument });
      say(`${name}: ${figures.records} records in ${figures.seconds.toFixed(1)} s, ${rateOf(figures)}/s`);
      return figures;
    };
    const first = await part<TailFigures>('tail', { rewind: false });
    const before = await readState(index);
    const replay = await part<TailFigures>('tail', { rewind: true });
    const changed = await changedSince(index, before);
    const raw = async (lanes: number) =>
      options.rawRecords === 0 ? undefined : await part<RawFigures>('raw', { lanes, most: options.rawRecords });
    const single = await raw(1);
    const parallel = await raw(LANES);
    const sdk = options.sdkRecords === 0 ? undefined : await part('sdk', { most: options.sdkRecords });
    return figuresOf({ feed, first, replay, changed, entries: before.entries, sdk, single, parallel });
  } finally {
    await index.close();
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  }
}

async function ensureFeed(folder: string, plan: FeedPlan, say: (text: string) => void): Promise<WrittenFeed> {
  const about = join(folder, ABOUT);
  if (existsSync(about)) {
    const known = JSON.parse(await readFile(about, 'utf8')) as WrittenFeed;
    if (known.records === plan.records && known.shards === plan.shards) return known;
    throw new Error(
      `${folder} holds a feed of ${known.records} records in ${known.shards} shards; name another folder`,
    );
  }
  say(`writing a feed of ${plan.records} records in ${plan.shards} shards`);
  await mkdir(folder, { recursive: true });
  const feed = writeFeed(folder, plan);
  await writeFile(about, JSON.stringify(feed));
  say(`${(feed.bytes / 1e6).toFixed(0)} MB in ${feed.segments} segments and ${feed.chunks} chunks`);
  return feed;
}

interface IndexState {
  readonly xid: number;
  readonly entries: number;
}

async function readState(index: Index): Promise<IndexState> {
  const { rows } = await sql<IndexState>`
    select pg_current_xact_id()::text::bigint as xid, (select count(*) from entries) as entries`.execute(index.db);
  return rows[0] ?? { xid: 0, entries: 0 };
}

/** Rows that a later transaction inserted, updated or deleted. A row version carries the transaction that wrote it. */
async function changedSince(index: Index, { xid, entries }: IndexState): Promise<number> {
  const { rows } = await sql<{ written: number; entries: number }>`
    select count(*) filter (where xmin::text::bigint > ${xid}) as written, count(*) as entries from entries`.execute(
    index.db,
  );
  const after = rows[0] ?? { written: 0, entries: 0 };
  return after.written + Math.max(0, entries - after.entries);
}

function figuresOf(run: {
  readonly feed: WrittenFeed;
  readonly first: TailFigures;
  readonly replay: TailFigures;
  readonly changed: number;
  readonly entries: number;
  readonly sdk: Part | undefined;
  readonly single: RawFigures | undefined;
  readonly parallel: RawFigures | undefined;
}): FeedBenchmark {
  const { feed, first, replay, sdk, single, parallel } = run;
  const rate = (part: Part | undefined) => (part === undefined ? null : rateOf(part));
  const ratio = (ours: Part, part: Part | undefined) =>
    part === undefined ? null : Math.round((100 * rateOf(ours)) / rateOf(part)) / 100;
  return {
    bench: 'feed',
    records: first.records,
    seconds: Math.round(first.seconds * 100) / 100,
    perSecond: rateOf(first),
    peakRssMiB: first.peakRssMiB,
    replayPerSecond: rateOf(replay),
    replayRowsChanged: run.changed,
    baselines: {
      sdkReaderPerSecond: rate(sdk),
      rawUpsertPerSecond: rate(single),
      rawReplayPerSecond: rate(single?.again),
    },
    ratios: {
      toSdkReader: ratio(first, sdk),
      toRawUpsert: ratio(first, single),
      toRawReplay: ratio(replay, single?.again),
    },
    rawUpsertParallelPerSecond: rate(parallel),
    rawReplayParallelPerSecond: rate(parallel?.again),
    replayPeakRssMiB: replay.peakRssMiB,
    cpuSeconds: Math.round(first.cpuSeconds * 10) / 10,
    pageRecords: Math.round(first.records / Math.max(1, first.pages)),
    applied: first.applied,
    entries: run.entries,
    feed,
  };
}

function rateOf({ records, seconds }: Part): number {
  return Math.round(records / seconds);
}
