import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { FolderFeedStore } from '../../../activities/azure/folder-feed-store.ts';
import { findingLine, findingOutput } from '../../../cli/feed/verify/format-finding.ts';
import { verifyFeedAndIndex } from '../../../cli/feed/verify/verify-feed.ts';
import { replayFeed } from '../../../cli/replay/replay.ts';
import { formatKey } from '../../../namespace/key.ts';
import { ensureAccount } from '../../../schema/index/accounts.ts';
import { publishRules } from '../../../schema/index/authority-revisions.ts';
import type { Index } from '../../../schema/index/database.ts';
import { setCursor } from '../../../schema/index/feed-cursors.ts';
import { noteSkip } from '../../../schema/index/feed-skips.ts';
import { transact } from '../../../schema/index/transact.ts';
import { feedVerifyFinding } from '../../../schema/outputs/feed-verify.ts';
import { testIndex } from '../../support/postgres.ts';
import { hasRealData } from '../../support/real-data.ts';
import { blocksOf } from './support/by-avsc.ts';
import { FeedCopy, RECORDED } from './support/feed-copy.ts';
import { collect } from './support/verify.ts';

const END = 'idx/segments/2100/01/01/0000/meta.json';
const CHUNK = 'log/00/2020/05/12/2200/00000.avro';
const MANIFEST = 'idx/segments/2020/06/09/0200/meta.json';
const NEWEST_MANIFEST = 'idx/segments/2020/06/16/0500/meta.json';
const UNREACHED = 'log/00/2020/06/09/0200/00000.avro';
const signal = new AbortController().signal;

/** A recorded feed that an index has taken whole. */
async function taken(name: (typeof RECORDED)[number], index: Index) {
  const copy = await FeedCopy.of(name);
  const store = await FolderFeedStore.open(copy.dir);
  await replayFeed(index, store, 'recorded', { signal });
  const account = await ensureAccount(index, 'recorded');
  const cursor = (segment: string, shards = {}) =>
    transact(index, (tx) => setCursor(tx, account.id, { segment, shards }));
  await cursor(END);
  return {
    account,
    copy,
    cursor,
    verify: async () =>
      collect(verifyFeedAndIndex(store, { index, account: await ensureAccount(index, 'recorded') }, { signal })),
    [Symbol.asyncDispose]: () => copy[Symbol.asyncDispose](),
  };
}

/** Live entries, in key order. */
function live(index: Index, offset: number) {
  return index.db
    .selectFrom('entries')
    .select(['container_id', 'head', 'tail_hash', 'seen'])
    .where('live', '=', true)
    .where('source', '=', 'replay')
    .orderBy('container_id')
    .orderBy('head')
    .offset(offset)
    .limit(1)
    .executeTakeFirstOrThrow();
}

describe.skipIf(!hasRealData)('feed verify against an index', () => {
  it.each(RECORDED)('1: agrees with an index that has taken the recorded feed %s', async (name) => {
    await using db = await testIndex();
    await using world = await taken(name, db.index);
    const { found, feed, index } = await world.verify();
    expect(found).toEqual([]);
    expect(feed.records).toBe(name === 'java-2020-06' ? 1_606 : 1_912);
    expect(index).toMatchObject({ differ: 0, looksDue: 0, notTaken: 0 });
    expect((index?.agree ?? 0) + (index?.past ?? 0)).toBe(index?.keys);
    expect(index?.agree).toBeGreaterThan(100);
  });

  it('10: names each key that the index does not have as the feed last said, with the record that said it', async () => {
    await using db = await testIndex();
    await using world = await taken('java-2020-06', db.index);
    const { db: on } = db.index;
    const change = async (offset: number, how: Record<string, unknown>) => {
      const { container_id, head } = await live(db.index, offset);
      await on
        .updateTable('entries')
        .set(how)
        .where('container_id', '=', container_id)
        .where('head', '=', head)
        .execute();
      return head;
    };
    const older = await change(3, { sequencer: Buffer.alloc(24, 0) });
    const other = await change(10, { etag: '0xOTHER' });
    const dead = await change(20, { live: false, etag: null, length: null });
    await change(30, { look_due: true, sequencer: Buffer.alloc(24, 0) });
    const { seen } = await live(db.index, 40);
    await change(40, { look: seen + 1, sequencer: Buffer.alloc(24, 0), etag: '0xLOOKED' });
    await change(50, { sequencer: Buffer.alloc(24, 0xff), etag: '0xNEWER' });
    const gone = await live(db.index, 60);
    await on
      .deleteFrom('entries')
      .where('container_id', '=', gone.container_id)
      .where('head', '=', gone.head)
      .execute();

    const { found, index } = await world.verify();
    const lines = found.map((each) =>
      each.kind === 'difference' ? [each.key.name, each.what.replace(/ \(.*/, '')] : each,
    );
    expect(new Map(lines as [string, string][])).toEqual(
      new Map([
        [older, "the index has an older state than the feed's last word"],
        [other, 'the index has another state at the same sequencer'],
        [dead, 'the index has another state at the same sequencer'],
        [gone.head, 'the index has no entry of it'],
      ]),
    );
    expect(index).toMatchObject({ differ: 4, looksDue: 1 });
    expect(found[0]).toMatchObject({ chunk: expect.stringMatching(/^log\/00\/2020\//), index: expect.any(Number) });
  });

  it('compares nothing that stands after the cursor', async () => {
    await using db = await testIndex();
    await using world = await taken('java-2020-06', db.index);
    await db.index.db.deleteFrom('entries').execute();
    expect((await world.verify()).index?.differ).toBeGreaterThan(100);

    await world.cursor('idx/segments/2020/05/12/2200/meta.json');
    expect((await world.verify()).index).toMatchObject({ keys: 0, differ: 0, notTaken: 1_606 });

    const shard = 'log/00/2020/05/12/2200/';
    await world.cursor('idx/segments/2020/05/12/2200/meta.json', {
      [shard]: { chunk: `${shard}00000.avro`, offset: 2_434, index: 2 },
    });
    const { found, index } = await world.verify();
    expect(index).toMatchObject({ notTaken: 1_604 });
    expect(found.map((each) => 'index' in each && each.index).sort()).toEqual([0, 1]);
  });

  it('tells what an operator has left out and counts no finding for it, but for damage that goes beyond it', async () => {
    await using db = await testIndex();
    await using world = await taken('java-2020-06', db.index);
    const [first, second, third] = blocksOf(world.copy.file(CHUNK));
    const skip = (chunk: string, from: number, to: number) =>
      noteSkip(db.index.db, world.account.id, { chunk, from, to, reason: 'damaged' });
    await world.copy.edit(CHUNK, (bytes) => bytes.fill(0, (first?.end ?? 0) - 8, first?.end));
    await world.copy.write(MANIFEST, '{');
    await skip(CHUNK, first?.offset ?? 0, first?.end ?? 0);
    await skip(MANIFEST, 0, 1);
    const known = await world.verify();
    expect(known.found).toEqual([
      expect.objectContaining({ kind: 'skipped', path: CHUNK, offset: first?.offset, until: first?.end }),
      expect.objectContaining({ kind: 'skipped', path: MANIFEST, offset: 0 }),
      { kind: 'skipped', path: UNREACHED, offset: 0, why: 'its manifest is left out, which alone names it' },
    ]);
    expect(known).toMatchObject({ findings: 0, skipped: 3 });
    expect(known.found.map((each) => findingLine(each))[0]).toMatch(
      /^SKIPPED {2}log\/00\/.* \(left out up to byte \d+\)$/,
    );
    for (const each of known.found) feedVerifyFinding.parse(findingOutput(each));

    await world.copy.edit(CHUNK, (bytes) => bytes.fill(0, (second?.end ?? 0) - 8, second?.end));
    const more = await world.verify();
    expect(more.found[0]).toMatchObject({ kind: 'broken', path: CHUNK, offset: first?.offset, until: third?.offset });
    expect(more).toMatchObject({ findings: 1, skipped: 2 });
  });

  it("counts a finding for damage up to the file's end of which a part was left out, and none once all of it was", async () => {
    await using db = await testIndex();
    await using world = await taken('java-2020-06', db.index);
    const [first, last] = blocksOf(world.copy.file(CHUNK)).slice(-2);
    const skip = (from = 0, to = 0) =>
      noteSkip(db.index.db, world.account.id, { chunk: CHUNK, from, to, reason: 'damaged' });
    await world.copy.edit(CHUNK, (bytes) => {
      for (const block of [first, last]) bytes.fill(0, (block?.end ?? 0) - 8, block?.end);
      return bytes;
    });
    await skip(first?.offset, first?.end);
    const half = await world.verify();
    expect(half.found).toEqual([
      expect.objectContaining({ kind: 'broken', path: CHUNK, offset: first?.offset, reach: last?.end }),
    ]);
    expect(half).toMatchObject({ findings: 1, skipped: 0 });
    for (const each of half.found) feedVerifyFinding.parse(findingOutput(each));

    await skip(last?.offset, last?.end);
    expect(await world.verify()).toMatchObject({ findings: 0, skipped: 1 });
  });

  it('calls nothing left out that nobody has left out, however short it is', async () => {
    await using db = await testIndex();
    await using world = await taken('java-2020-06', db.index);
    await world.copy.write(NEWEST_MANIFEST, '');
    const before = await world.verify();
    expect(before.found.filter(({ kind }) => kind === 'broken')).toEqual([
      expect.objectContaining({ path: NEWEST_MANIFEST, reach: 1 }),
    ]);
    expect(before.skipped).toBe(0);
    const chunk = NEWEST_MANIFEST;
    await noteSkip(db.index.db, world.account.id, { chunk, from: 0, to: 1, reason: 'empty' });
    expect((await world.verify()).found.filter(({ kind }) => kind === 'broken')).toEqual([]);
  });

  it('hides nothing behind an old skip that is no damage of its bytes', async () => {
    await using db = await testIndex();
    await using world = await taken('java-2020-06', db.index);
    const lost = CHUNK.replace('00000', '00001');
    for (const chunk of [lost, NEWEST_MANIFEST]) {
      await noteSkip(db.index.db, world.account.id, { chunk, from: 0, to: 10, reason: 'damaged' });
    }
    await world.copy.write(CHUNK.replace('00000', '00002'), await world.copy.read(CHUNK));
    await world.copy.write(NEWEST_MANIFEST, await world.copy.read('idx/segments/2020/05/12/2200/meta.json'));
    const { found, skipped } = await world.verify();
    expect(skipped).toBe(1);
    expect(found.filter(({ kind }) => kind === 'broken')).toEqual([
      expect.objectContaining({ path: lost, why: expect.stringContaining('is missing') }),
      expect.objectContaining({ path: NEWEST_MANIFEST, why: expect.stringContaining("is another segment's too") }),
    ]);
  });

  it.each([
    ['a chunk of a finished segment is empty', (copy: FeedCopy) => copy.write(CHUNK, ''), CHUNK],
    ['there are no chunks', (copy: FeedCopy) => rm(copy.file('log'), { recursive: true }), 'log/'],
  ])('notes without a finding that %s, as an account may have it', async (_, empty, path) => {
    await using db = await testIndex();
    await using world = await taken('java-2020-06', db.index);
    await empty(world.copy);
    const { found, findings, notes } = await world.verify();
    expect(found).toEqual([{ kind: 'note', path, why: expect.any(String) }]);
    expect({ findings, notes }).toEqual({ findings: 0, notes: 1 });
  });

  it('leaves out keys that no rule gives to Blob', async () => {
    await using db = await testIndex();
    await using world = await taken('java-2020-06', db.index);
    await db.index.db.deleteFrom('entries').execute();
    const before = await world.verify();
    const [first] = before.found;
    const container = first?.kind === 'difference' ? first.key.container : '';
    await publishRules(
      db.index,
      world.account.id,
      [{ prefix: `${container}/`, authority: 'blob', sink: 'replay' }],
      'test',
    );
    const { found } = await world.verify();
    expect(found.length).toBeGreaterThan(0);
    expect(found.length).toBeLessThan(before.found.length);
    expect(found.every((each) => each.kind === 'difference' && formatKey(each.key).startsWith(`${container}/`))).toBe(
      true,
    );
  });
});
