import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FEED_CONTAINER } from '../../infra/local/storage/account.ts';
import { blocksOf, headerOf, syncMarkerOf } from '../../infra/local/storage/feed/encode.ts';
import {
  chunkPath,
  INIT_SEGMENT,
  manifestPath,
  manifestText,
  SEGMENTS_JSON,
  segmentsText,
} from '../../infra/local/storage/feed/layout.ts';
import { type FeedRecord, recordOf } from '../../infra/local/storage/feed/record.ts';
import { shardOf } from '../../infra/local/storage/feed/shard.ts';
import { SequencerSource } from '../../infra/local/storage/sequencer-source.ts';
import { ChangeMaker } from './changes.ts';

export interface FeedPlan {
  readonly records: number;
  readonly shards: number;
}

export interface WrittenFeed extends FeedPlan {
  readonly names: number;
  readonly bytes: number;
  readonly segments: number;
  readonly chunks: number;
}

const HOUR = 3_600_000;
const BEGIN = Date.UTC(2026, 10, 1);
const RECORDS_PER_SEGMENT = 100_000;
/** Records that are encoded at once: some twenty blocks of each of four shards. */
const BATCH = 9_600;
/** A chunk that has this goes on in the next one. */
const CHUNK_BYTES = 8 * 1024 * 1024;

/**
 * Writes a whole feed into a folder, as the front writes it: by the front's own records, blocks, headers, paths and
 * manifests, segment after segment of an hour, the last one open. What it holds in memory is a batch, and a byte
 * for each name.
 */
export function writeFeed(folder: string, { records, shards }: FeedPlan): WrittenFeed {
  const segments = Math.max(2, Math.ceil(records / RECORDS_PER_SEGMENT));
  let written = 0;
  const now = () => BEGIN + Math.floor((written * segments * HOUR) / records);
  const maker = new ChangeMaker(records, new SequencerSource({ now, sleep: async () => {} }), random(1));
  const put = (path: string, text: string) => {
    const file = join(folder, FEED_CONTAINER, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  put(manifestPath(INIT_SEGMENT), manifestText(INIT_SEGMENT, 'Finalized', HOUR, BEGIN));
  let bytes = 0;
  let chunks = 0;
  for (let at = 0; at < segments; at++) {
    const begin = BEGIN + at * HOUR;
    const writers = Array.from({ length: shards }, (_, shard) => new ShardFiles(folder, begin, shard));
    const until = Math.floor(((at + 1) * records) / segments);
    while (written < until) {
      const batches = writers.map((): FeedRecord[] => []);
      for (const end = Math.min(until, written + BATCH); written < end; written++) {
        const { change, before } = maker.next();
        batches[shardOf(change, shards)]?.push(softDeleted(recordOf(change), before));
      }
      for (const [shard, batch] of batches.entries()) writers[shard]?.append(batch);
    }
    for (const writer of writers) {
      writer.close();
      bytes += writer.bytes;
      chunks += writer.chunks;
    }
    const status = at === segments - 1 ? 'Publishing' : 'Finalized';
    put(manifestPath(begin), manifestText(begin, status, HOUR, begin, shards));
  }
  const last = BEGIN + (segments - 1) * HOUR;
  put(SEGMENTS_JSON, segmentsText(last, last - HOUR, last));
  return { records, shards, names: maker.names, bytes, segments, chunks };
}

/** As an account with soft delete tells of what was there before. */
function softDeleted(record: FeedRecord, before: string | undefined): FeedRecord {
  if (before === undefined) return record;
  return { ...record, data: { ...record.data, previousInfo: { SoftDeleteSnapshot: before } } };
}

/** The chunks of one shard of one segment. */
class ShardFiles {
  readonly #folder: string;
  readonly #begin: number;
  readonly #shard: number;
  #file: number;
  #sync: Buffer;
  #length = 0;
  bytes = 0;
  chunks = 0;

  constructor(folder: string, begin: number, shard: number) {
    this.#folder = folder;
    this.#begin = begin;
    this.#shard = shard;
    this.#sync = Buffer.alloc(0);
    this.#file = this.#nextChunk();
  }

  append(records: readonly FeedRecord[]): void {
    if (this.#length > CHUNK_BYTES) {
      closeSync(this.#file);
      this.#file = this.#nextChunk();
    }
    this.#write(this.#file, Buffer.concat(blocksOf(records, this.#sync).map(({ bytes }) => bytes)));
  }

  close(): void {
    closeSync(this.#file);
  }

  #nextChunk(): number {
    const path = chunkPath(this.#begin, this.chunks++, this.#shard);
    const file = join(this.#folder, FEED_CONTAINER, path);
    mkdirSync(dirname(file), { recursive: true });
    this.#sync = syncMarkerOf(path);
    this.#length = 0;
    const opened = openSync(file, 'w');
    this.#write(opened, headerOf(this.#sync));
    return opened;
  }

  #write(file: number, bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    this.#length += bytes.length;
    this.bytes += bytes.length;
  }
}

/** Seeded (mulberry32): every run measures the same feed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
