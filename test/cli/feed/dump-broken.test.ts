import { mkdir, rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { hasRealData } from '../../support/real-data.ts';
import { blocksOf, type Dumped } from './support/by-avsc.ts';
import { dump } from './support/dump.ts';
import { FeedCopy } from './support/feed-copy.ts';

/** Several blocks in a final segment of the recording. */
const CHUNK = 'log/00/2020/05/12/2200/00000.avro';
const MANIFEST = 'idx/segments/2020/05/12/2200/meta.json';
const NEWEST_CHUNK = 'log/00/2020/06/16/0500/00000.avro';
const NEWEST_MANIFEST = 'idx/segments/2020/06/16/0500/meta.json';
const SEGMENTS = 'meta/segments.json';

const ids = (records: readonly Dumped[]) => records.map(({ id }) => id);
const notIn =
  (...offsets: readonly (number | undefined)[]) =>
  ({ chunk, offset }: Dumped) =>
    chunk !== CHUNK || !offsets.includes(offset);

/** Dumps a copy as it was, breaks it, and dumps it again. */
async function broken(breakIt: (feed: FeedCopy) => Promise<void>) {
  await using feed = await FeedCopy.of('java-2020-06');
  const whole = await dump(feed.dir);
  expect(whole.code).toBe(0);
  await breakIt(feed);
  return { whole: whole.records, ...(await dump(feed.dir)) };
}

/** Changes bytes of the chunk at places that are told its blocks. */
function hurt(at: (blocks: ReturnType<typeof blocksOf>) => readonly number[]) {
  let blocks: ReturnType<typeof blocksOf> = [];
  const breakIt = async (feed: FeedCopy) => {
    blocks = blocksOf(feed.file(CHUNK));
    await feed.edit(CHUNK, (bytes) => {
      for (const place of at(blocks)) bytes[place] = (bytes[place] ?? 0) ^ 0xff;
      return bytes;
    });
  };
  return { breakIt, blocks: () => blocks };
}

describe.skipIf(!hasRealData)('feed dump of a broken feed', () => {
  it.each([0, 1, -1])('8: prints all but block %i, whose marker is hurt, and names it', async (number) => {
    const { breakIt, blocks } = hurt((all) => [(all.at(number)?.end ?? 0) - 5]);
    const { whole, code, records, said } = await broken(breakIt);
    const { offset, end } = blocks().at(number) ?? { offset: -1, end: -1 };
    const left = number === -1 ? '' : ` (left out up to byte ${end})`;
    expect(ids(records)).toEqual(ids(whole.filter(notIn(offset))));
    expect(code).toBe(1);
    expect(said).toEqual([
      `BROKEN  ${CHUNK} at byte ${offset}: the block does not end in the file's marker${left}`,
      'One thing is broken.',
    ]);
  });

  it('prints the whole block that follows two whose markers are hurt, though nothing leads to it', async () => {
    const { breakIt, blocks } = hurt((all) => [0, 1, 3].map((number) => (all[number]?.end ?? 0) - 1));
    const { whole, code, records, said } = await broken(breakIt);
    const lost = [0, 1, 3].map((number) => blocks()[number]?.offset);
    expect(ids(records)).toEqual(ids(whole.filter(notIn(...lost))));
    expect(code).toBe(1);
    const [first, , third, fourth, fifth] = blocks();
    const why = `the block does not end in the file's marker`;
    expect(said).toEqual([
      `BROKEN  ${CHUNK} at byte ${first?.offset}: ${why} (left out up to byte ${third?.offset})`,
      `BROKEN  ${CHUNK} at byte ${fourth?.offset}: ${why} (left out up to byte ${fifth?.offset})`,
      '2 things are broken.',
    ]);
  });

  it.each([
    ['count of records', 0],
    ['size', 10],
    ['length of the topic in its first record', 21],
  ])('leaves out the one block whose %s is hurt', async (_, within) => {
    const { breakIt, blocks } = hurt((all) => [(all[2]?.offset ?? 0) + within]);
    const { whole, code, records, said } = await broken(breakIt);
    expect(ids(records)).toEqual(ids(whole.filter(notIn(blocks()[2]?.offset))));
    expect(code).toBe(1);
    expect(said[0]).toContain(`BROKEN  ${CHUNK} at byte ${blocks()[2]?.offset}: `);
  });

  it('never loses or changes a record outside the block in which any one byte is hurt', async () => {
    await using feed = await FeedCopy.of('java-2020-06');
    const window = { to: Date.UTC(2020, 4, 13) };
    const whole = await dump(feed.dir, window);
    const bytes = await feed.read(CHUNK);
    const blocks = blocksOf(feed.file(CHUNK));
    const first = blocks[0]?.offset ?? 0;
    // A prime stride meets every kind of place: counts, sizes, lengths, texts, markers.
    for (let place = first; place < bytes.length; place += 1_999) {
      const hurtBytes = Buffer.from(bytes);
      hurtBytes[place] = (hurtBytes[place] ?? 0) ^ 0x55;
      await feed.write(CHUNK, hurtBytes);
      const { records } = await dump(feed.dir, window);
      const block = blocks.findLast(({ offset }) => offset <= place)?.offset;
      expect(records.filter(notIn(block)), `byte ${place}`).toEqual(whole.records.filter(notIn(block)));
    }
  });

  it('leaves out the one block in which a name is not UTF-8, and alters none', async () => {
    let hurtBlock: number | undefined;
    const { whole, code, records, said } = await broken(async (feed) => {
      hurtBlock = blocksOf(feed.file(CHUNK))[2]?.offset;
      await feed.edit(CHUNK, (bytes) => {
        const name = bytes.indexOf('/blobs/', hurtBlock) + '/blobs/'.length;
        return bytes.fill(0xff, name, name + 1);
      });
    });
    expect(records).toEqual(whole.filter(notIn(hurtBlock)));
    expect(code).toBe(1);
    expect(said[0]).toContain(
      `BROKEN  ${CHUNK} at byte ${hurtBlock}: record 0 of the block holds a name that is not UTF-8`,
    );
  });

  it('prints a record of which another text is not UTF-8, and says so once for the chunk', async () => {
    const { whole, code, records, said } = await broken(async (feed) => {
      const [, , third, fourth] = blocksOf(feed.file(CHUNK));
      await feed.edit(CHUNK, (bytes) => {
        for (const block of [third, fourth]) {
          const etag = bytes.indexOf('0x8D', block?.offset);
          bytes.fill(0xff, etag, etag + 1);
        }
        return bytes;
      });
    });
    expect(ids(records)).toEqual(ids(whole));
    expect(records).not.toEqual(whole);
    expect(code).toBe(0);
    expect(said).toEqual([`NOTE  ${CHUNK}: 2 records hold text that is not UTF-8, which was altered in decoding`]);
  });

  it('names a chunk whose header is hurt, and prints every other', async () => {
    const { whole, code, records, said } = await broken((feed) =>
      feed.edit(CHUNK, (bytes) => Buffer.concat([Buffer.from('Nope'), bytes.subarray(4)])),
    );
    expect(records).toEqual(whole.filter(({ chunk }) => chunk !== CHUNK));
    expect(code).toBe(1);
    expect(said[0]).toContain(`BROKEN  ${CHUNK} at byte 0: no Avro file`);
  });

  it('names a chunk number that is missing, and prints the chunks around it', async () => {
    const { whole, code, records, said } = await broken(async (feed) => {
      await feed.write(CHUNK.replace('00000', '00003'), await feed.read(CHUNK));
      await feed.write(CHUNK.replace('00000', '00001'), await feed.read(NEWEST_CHUNK));
    });
    expect(records.filter(({ chunk }) => !chunk.endsWith('/00001.avro') && !chunk.endsWith('/00003.avro'))).toEqual(
      whole,
    );
    expect(records.filter(({ chunk }) => chunk.endsWith('/00003.avro'))).toHaveLength(
      whole.filter(({ chunk }) => chunk === CHUNK).length,
    );
    expect(code).toBe(1);
    expect(said[0]).toBe(
      `BROKEN  log/00/2020/05/12/2200/00002.avro at byte 0: the chunk is missing: log/00/2020/05/12/2200/00003.avro follows`,
    );
  });

  it('names a manifest that cannot be read, and prints every other segment', async () => {
    const { whole, code, records, said } = await broken((feed) =>
      feed.edit(MANIFEST, (bytes) => bytes.subarray(0, bytes.length - 100)),
    );
    expect(records).toEqual(whole.filter(({ chunk }) => chunk !== CHUNK));
    expect(code).toBe(1);
    expect(said[0]).toMatch(new RegExp(`^BROKEN  ${MANIFEST} at byte 0: expected JSON; .*none of them is read$`));
  });

  it('takes every segment that is listed where segments.json cannot be read, and names it', async () => {
    const { whole, code, records, said } = await broken((feed) => feed.write(SEGMENTS, '{"version":0,"lastCons'));
    expect(records).toEqual(whole);
    expect(code).toBe(1);
    expect(said[0]).toBe(`BROKEN  ${SEGMENTS} at byte 0: expected JSON`);
  });

  it('takes every segment that is listed where there is no segments.json, and names it', async () => {
    const { whole, code, records, said } = await broken((feed) => feed.remove(SEGMENTS));
    expect(records).toEqual(whole);
    expect(code).toBe(1);
    expect(said[0]).toBe(`BROKEN  ${SEGMENTS} at byte 0: it is missing`);
  });

  it('names a final segment that ends in the middle of a block, and prints what stands before it', async () => {
    let last: number | undefined;
    const { whole, code, records, said } = await broken(async (feed) => {
      last = blocksOf(feed.file(CHUNK)).at(-1)?.offset;
      await feed.edit(CHUNK, (bytes) => bytes.subarray(0, bytes.length - 1));
    });
    expect(records).toEqual(whole.filter(notIn(last)));
    expect(code).toBe(1);
    expect(said[0]).toContain(`BROKEN  ${CHUNK} at byte ${last}: the file ends in the middle of a block`);
  });

  it('names a chunk of a final segment that holds nothing at all', async () => {
    const { whole, code, records, said } = await broken((feed) => feed.write(CHUNK, ''));
    expect(records).toEqual(whole.filter(({ chunk }) => chunk !== CHUNK));
    expect(code).toBe(1);
    expect(said[0]).toBe(`BROKEN  ${CHUNK} at byte 0: it holds nothing, though nothing more comes`);
  });

  it('says that there are no segments where segments.json tells of some', async () => {
    const { code, records, said } = await broken((feed) => rm(feed.file('idx'), { recursive: true }));
    expect({ code, records }).toEqual({ code: 1, records: [] });
    expect(said[0]).toBe(`BROKEN  idx/segments/ at byte 0: nothing is there, though ${SEGMENTS} tells of segments`);
  });

  it('says that there are no chunks where final segments name shards', async () => {
    const { code, records, said } = await broken((feed) => rm(feed.file('log'), { recursive: true }));
    expect({ code, records }).toEqual({ code: 1, records: [] });
    expect(said).toEqual([
      'BROKEN  log/ at byte 0: nothing is there, though final segments name shards',
      'One thing is broken.',
    ]);
  });

  it.each(['$blobchangefeed/log/00/../../../elsewhere/', '../elsewhere/', 'log/00/\u0000/'])(
    'refuses a manifest that names %j, and reads nothing by it',
    async (shard) => {
      const { whole, code, records, said } = await broken(async (feed) => {
        await feed.write('../elsewhere/00000.avro', await feed.read(CHUNK));
        await feed.write(MANIFEST, JSON.stringify({ status: 'Finalized', chunkFilePaths: [shard] }));
      });
      expect(records).toEqual(whole.filter(({ chunk }) => chunk !== CHUNK));
      expect(code).toBe(1);
      expect(said[0]).toMatch(
        new RegExp(`^BROKEN  ${MANIFEST} at byte 0: chunkFilePaths names ".*", which is no path `),
      );
      expect(said[0]).not.toContain('\u0000');
    },
  );

  it('prints a shard that two manifests name once, and says so', async () => {
    const { whole, code, records, said } = await broken(async (feed) =>
      feed.write(NEWEST_MANIFEST, await feed.read(MANIFEST)),
    );
    expect(records).toEqual(whole.filter(({ chunk }) => chunk !== NEWEST_CHUNK));
    expect(code).toBe(1);
    expect(said[0]).toBe(
      `BROKEN  ${NEWEST_MANIFEST} at byte 0: it names ${CHUNK.slice(0, -10)}, which is another segment's too`,
    );
  });

  it('names a folder that stands where a chunk or a manifest should', async () => {
    const { whole, code, records, said } = await broken(async (feed) => {
      for (const path of [CHUNK, NEWEST_MANIFEST]) {
        await feed.remove(path);
        await mkdir(feed.file(path));
      }
    });
    expect(records).toEqual(whole.filter(({ chunk }) => chunk !== CHUNK && chunk !== NEWEST_CHUNK));
    expect(code).toBe(1);
    expect(said[0]).toBe(`BROKEN  ${CHUNK} at byte 0: it cannot be read: EISDIR`);
    expect(said[1]).toMatch(new RegExp(`^BROKEN  ${NEWEST_MANIFEST} at byte 0: it cannot be read: EISDIR; `));
  });
});

describe.skipIf(!hasRealData)('feed dump of a feed that is whole though it looks odd', () => {
  it.each([
    ['ends in the middle of a block', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1)],
    ['ends in the middle of its header', (bytes: Buffer) => bytes.subarray(0, 1_000)],
    ['is empty', () => Buffer.alloc(0)],
  ])('takes the newest open segment whose chunk %s', async (_, cut) => {
    const { whole, code, records, said } = await broken(async (feed) => {
      await feed.edit(NEWEST_MANIFEST, (bytes) => String(bytes).replace('Finalized', 'Publishing'));
      await feed.edit(NEWEST_CHUNK, cut);
    });
    expect(ids(records)).toEqual(ids(whole).slice(0, records.length));
    expect(records.length).toBeLessThan(whole.length);
    expect({ code, said }).toEqual({ code: 0, said: [] });
  });

  it('leaves out segments after lastConsumable, and says so', async () => {
    const { whole, code, records, said } = await broken((feed) =>
      feed.edit(SEGMENTS, (bytes) => String(bytes).replace('2020-06-16T06:00:00.000Z', '2020-06-16T04:00:00.000Z')),
    );
    expect(records).toEqual(whole.filter(({ chunk }) => chunk !== NEWEST_CHUNK));
    expect(code).toBe(0);
    expect(said).toEqual(['One segment was left out: opened after lastConsumable, not to be read yet.']);
  });

  it('prints a shard that its manifest names twice only once', async () => {
    const { whole, code, records } = await broken((feed) =>
      feed.edit(MANIFEST, (bytes) =>
        String(bytes).replace(/"chunkFilePaths":\s*\[\s*("[^"]*")/, '"chunkFilePaths":[$1,$1'),
      ),
    );
    expect(records).toEqual(whole);
    expect(code).toBe(0);
  });
});
