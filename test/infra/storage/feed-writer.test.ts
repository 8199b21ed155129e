import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlobChange } from '../../../infra/local/storage/change.ts';
import { FaultSwitches } from '../../../infra/local/storage/faults.ts';
import type { FilesOfFeed } from '../../../infra/local/storage/feed/feed-files.ts';
import type { StoredFeedState } from '../../../infra/local/storage/feed/feed-state.ts';
import { FeedWriter } from '../../../infra/local/storage/feed/feed-writer.ts';
import { shardName, shardOf } from '../../../infra/local/storage/feed/shard.ts';
import { Journal } from '../../../infra/local/storage/journal.ts';
import { etagOf, SequencerSource, sequencerOf } from '../../../infra/local/storage/sequencer-source.ts';
import { StateFile } from '../../../infra/local/storage/state-file.ts';
import { type DecodedRecord, decodeChunk } from './read-feed.ts';

type Trouble = 'none' | 'refused' | 'cut' | 'unanswered';

/** The container in memory. Appends go wrong as they are told to: refused, cut in the middle, or applied and not answered. */
class MemoryFiles implements FilesOfFeed {
  readonly texts = new Map<string, string>();
  readonly chunks = new Map<string, Buffer>();
  troubles: Trouble[] = [];

  async createContainer(): Promise<void> {}

  async putText(path: string, text: string): Promise<void> {
    this.texts.set(path, text);
  }

  async createChunk(path: string): Promise<void> {
    if (!this.chunks.has(path)) this.chunks.set(path, Buffer.alloc(0));
  }

  async chunkLength(path: string): Promise<number | undefined> {
    return this.chunks.get(path)?.length;
  }

  async append(path: string, offset: number, bytes: Buffer): Promise<void> {
    const chunk = this.chunks.get(path) ?? Buffer.alloc(0);
    if (chunk.length !== offset) throw new Error('412');
    const trouble = this.troubles.shift() ?? 'none';
    const until = { none: bytes.length, refused: 0, cut: bytes.length >> 1, unanswered: bytes.length }[trouble];
    this.chunks.set(path, Buffer.concat([chunk, bytes.subarray(0, until)]));
    if (trouble !== 'none') throw new Error(trouble);
  }
}

interface Bench extends AsyncDisposable {
  readonly files: MemoryFiles;
  readonly journal: Journal;
  readonly faults: FaultSwitches;
  readonly state: StateFile<StoredFeedState>;
  now: number;
  /** A writer that goes on from what is kept, as after a crash. */
  start(shards: number, appends?: number): Promise<FeedWriter>;
  change(name: string): void;
}

const HOUR = 3_600_000;

async function bench(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'isthmus-feed-test-'));
  const files = new MemoryFiles();
  const journal = await Journal.open(join(folder, 'journal.jsonl'));
  const faults = new FaultSwitches(() => 0);
  const state = new StateFile<StoredFeedState>(join(folder, 'feed.json'));
  const self: Bench = {
    files,
    journal,
    faults,
    state,
    now: Date.UTC(2026, 10, 21, 9),
    async start(shards, appends = 100) {
      const clock = { now: () => self.now, sleep: async () => {} };
      const chunk = { appends, bytes: 1_000_000 };
      const writer = new FeedWriter({ files, journal, state, faults, clock, segmentMs: HOUR, shards, chunk });
      await writer.open();
      return writer;
    },
    change: (name) => journal.append(changeOf(name, sequencers.next())),
    async [Symbol.asyncDispose]() {
      journal.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  const sequencers = new SequencerSource({ now: () => self.now, sleep: async () => {} });
  return self;
}

function changeOf(name: string, { ticks, time }: { ticks: bigint; time: string }): BlobChange {
  const requestId = `00000000-0000-0000-0000-${ticks.toString(16).padStart(12, '0').slice(-12)}`;
  return {
    kind: 'blob',
    type: 'BlobCreated',
    api: 'PutBlob',
    container: 'lake',
    name,
    path: `/${name}`,
    id: requestId,
    requestId,
    clientRequestId: undefined,
    time,
    etag: etagOf(ticks),
    contentType: 'text/plain',
    contentLength: 1,
    blobType: 'BlockBlob',
    containerVersion: '01D628ACFCF04929',
    sequencer: sequencerOf(ticks),
  };
}

/** Records by shard, chunks in the order of their paths. */
async function readShards(files: MemoryFiles): Promise<Map<string, DecodedRecord[]>> {
  const shards = new Map<string, DecodedRecord[]>();
  for (const path of [...files.chunks.keys()].sort()) {
    const records = await decodeChunk(files.chunks.get(path) ?? Buffer.alloc(0));
    const shard = path.split('/')[1] ?? '';
    shards.set(shard, [...(shards.get(shard) ?? []), ...records]);
  }
  return shards;
}

function nameOf({ subject }: DecodedRecord): string {
  return subject.split('/blobs/')[1] ?? '';
}

async function names(bench: Bench): Promise<string[]> {
  return [...(await readShards(bench.files)).values()].flat().map(nameOf).sort();
}

const trouble = fc.constantFrom<Trouble>('none', 'none', 'refused', 'cut', 'unanswered');
const step = fc.record({
  changes: fc.array(fc.nat({ max: 20 }), { maxLength: 12 }),
  troubles: fc.array(trouble, { maxLength: 5 }),
  torn: fc.boolean(),
  restart: fc.boolean(),
  minutes: fc.nat({ max: 40 }),
});

describe('the feed writer', () => {
  it('3: has each record once, in one shard and in order, however appends go wrong and whenever it is started again', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 4 }),
        async (steps, shards) => {
          await using feed = await bench();
          let writer = await feed.start(shards, 3);
          let changes = 0;
          for (const { changes: numbers, troubles, torn, restart, minutes } of steps) {
            for (const number of numbers) feed.change(`blob-${number}`);
            changes += numbers.length;
            feed.files.troubles = [...troubles];
            feed.faults.merge({ feed: { tearTail: torn } });
            await writer.flush().catch(() => undefined);
            feed.now += minutes * 60_000;
            if (restart) writer = await feed.start(shards, 3);
          }
          feed.files.troubles = [];
          feed.faults.clear();
          await writer.flush();
          expect(writer.pending).toBe(0);
          const read = await readShards(feed.files);
          const ids = [...read.values()].flat().map(({ id }) => id);
          expect(ids.length).toBe(changes);
          expect(new Set(ids).size).toBe(changes);
          for (const [shard, records] of read) {
            const sequencers = records.map(({ data }) => BigInt(`0x${data.sequencer}`));
            expect(sequencers).toEqual(sequencers.toSorted((a, b) => (a < b ? -1 : 1)));
            for (const record of records) {
              expect(shardName(shardOf({ container: 'lake', name: nameOf(record) }, shards))).toBe(shard);
            }
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('names every shard in the manifest, also one that has no record', async () => {
    await using feed = await bench();
    const writer = await feed.start(3);
    feed.change('one');
    await writer.flush();
    expect(JSON.parse(feed.files.texts.get('idx/segments/2026/11/21/0900/meta.json') ?? '')).toMatchObject({
      status: 'Publishing',
      config: { numShards: 3 },
      chunkFilePaths: ['00', '01', '02'].map((shard) => `$blobchangefeed/log/${shard}/2026/11/21/0900/`),
    });
    expect(feed.files.chunks.size).toBe(3);
  });

  it('goes on in 00001.avro where a chunk is full, and says nothing of it elsewhere', async () => {
    await using feed = await bench();
    const writer = await feed.start(1, 3);
    feed.change('0');
    await writer.flush();
    const texts = [...feed.files.texts.values()];
    for (let at = 1; at < 5; at++) {
      feed.change(`${at}`);
      await writer.flush();
    }
    expect([...feed.files.chunks.keys()]).toEqual(
      ['00000', '00001', '00002'].map((chunk) => `log/00/2026/11/21/0900/${chunk}.avro`),
    );
    expect([...feed.files.texts.values()]).toEqual(texts);
    expect((await readShards(feed.files)).get('00')?.map(nameOf)).toEqual(['0', '1', '2', '3', '4']);
  });

  it('3: goes back in the shard alone whose last appends are lost', async () => {
    await using feed = await bench();
    let writer = await feed.start(2);
    const all: string[] = [];
    const lengths: Map<string, number>[] = [];
    for (let round = 0; round < 3; round++) {
      for (let at = 0; at < 8; at++) all.push(`${round}-${at}`);
      for (const name of all.slice(-8)) feed.change(name);
      await writer.flush();
      lengths.push(new Map([...feed.files.chunks].map(([path, bytes]) => [path, bytes.length])));
    }
    const path = 'log/01/2026/11/21/0900/00000.avro';
    const whole = feed.files.chunks.get(path) ?? Buffer.alloc(0);
    feed.files.chunks.set(path, whole.subarray(0, lengths[0]?.get(path)));
    writer = await feed.start(2);
    await writer.flush();
    expect([...feed.files.chunks.keys()].length).toBe(2);
    expect(await names(feed)).toEqual(all.sort());

    feed.files.chunks.delete(path);
    writer = await feed.start(2);
    await writer.flush();
    expect([...feed.files.chunks.keys()]).toContain('log/01/2026/11/21/0900/00001.avro');
    expect(await names(feed)).toEqual(all.sort());
  });

  it('opens the next segment with another number of shards, and ends the one before with its own', async () => {
    await using feed = await bench();
    let writer = await feed.start(3);
    for (let at = 0; at < 9; at++) feed.change(`a-${at}`);
    await writer.flush();
    writer = await feed.start(2);
    feed.change('b');
    await writer.flush();
    feed.now += HOUR;
    for (let at = 0; at < 9; at++) feed.change(`c-${at}`);
    await writer.flush();
    const manifest = (hour: string) =>
      JSON.parse(feed.files.texts.get(`idx/segments/2026/11/21/${hour}/meta.json`) ?? '');
    expect(manifest('0900')).toMatchObject({ status: 'Finalized', config: { numShards: 3 } });
    expect(manifest('1000')).toMatchObject({ status: 'Publishing', config: { numShards: 2 } });
    expect((await names(feed)).length).toBe(19);
  });

  it('3: goes on from a state that was kept when there was one shard, also within an append', async () => {
    await using feed = await bench();
    const before = await feed.start(1);
    feed.change('done');
    await before.flush();
    feed.change('half');
    feed.files.troubles = ['cut'];
    await before.flush().catch(() => undefined);
    const { next, open, final } = JSON.parse(JSON.stringify(await feed.state.read()));
    const { next: from, unfinished, recent, ...shard } = open.shards[0];
    const segment = open.begin;
    expect([from, next]).toEqual([1, 2]);
    // As it was written then.
    await feed.state.write({
      next: from,
      open: { segment, segmentMs: HOUR, ...shard },
      final,
      unfinished: { segment, ...unfinished },
      recent: recent.map((append: object) => ({ segment, ...append })),
    });
    const writer = await feed.start(3);
    feed.change('more');
    await writer.flush();
    expect(writer.pending).toBe(0);
    expect((await readShards(feed.files)).get('00')?.map(nameOf)).toEqual(['done', 'half', 'more']);
  });
});
