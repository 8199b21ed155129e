import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { dump } from './support/dump.ts';

const SHARD = 'log/00/2026/01/01/0000/';

/** Longs of any size, as an encoder needs them. */
const long = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a < b ? -1 : 1),
});

/** Dumps a feed of one chunk, whose schema is nothing that Azure has written yet. */
async function dumpOf(schema: avro.Schema, records: readonly unknown[], codec: 'null' | 'deflate' = 'null') {
  const dir = await mkdtemp(join(tmpdir(), 'isthmus-schemas-'));
  try {
    for (const folder of [SHARD, 'meta', 'idx/segments/2026/01/01/0000'])
      await mkdir(join(dir, folder), { recursive: true });
    await writeFile(join(dir, 'meta/segments.json'), '{"lastConsumable":"2026-01-01T00:00:00.000Z"}');
    const manifest = { status: 'A word not seen yet', chunkFilePaths: [`$blobchangefeed/${SHARD}`] };
    await writeFile(join(dir, 'idx/segments/2026/01/01/0000/meta.json'), JSON.stringify(manifest));
    const type = avro.Type.forSchema(schema, { registry: { long }, wrapUnions: true });
    const encoder = avro.createFileEncoder(join(dir, SHARD, '00000.avro'), type, { codec });
    for (const record of records) encoder.write(record);
    encoder.end();
    await once(encoder, 'finish');
    return await dump(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

describe('feed dump of schemas to come', () => {
  it.each(['null', 'deflate'] as const)(
    'prints plain JSON of every type that Avro has, with codec %s',
    async (codec) => {
      const schema: avro.Schema = {
        type: 'record',
        name: 'Event',
        fields: [
          { name: 'id', type: 'string' },
          { name: 'ticks', type: 'long' },
          { name: 'small', type: 'long' },
          { name: 'raw', type: 'bytes' },
          { name: 'fixed', type: { type: 'fixed', name: 'Four', size: 4 } },
          { name: 'either', type: ['null', 'string', { type: 'enum', name: 'Word', symbols: ['New', 'Newer'] }] },
          { name: 'maybe', type: ['null', 'bytes'] },
          { name: 'tags', type: { type: 'map', values: { type: 'map', values: 'bytes' } } },
          { name: 'list', type: { type: 'array', items: ['null', 'double'] } },
          {
            name: 'data',
            type: {
              type: 'record',
              name: 'Data',
              fields: [
                { name: 'api', type: 'string' },
                { name: 'below', type: ['null', 'Event'] },
              ],
            },
          },
        ],
      };
      const event = (id: string, below: unknown) => ({
        id,
        ticks: 133_485_408_000_000_000n,
        small: -7n,
        raw: Buffer.from([0, 255, 16]),
        fixed: Buffer.from('abcd'),
        either: { Word: 'Newer' },
        maybe: { bytes: Buffer.from('x') },
        tags: { a: { b: Buffer.from('c') } },
        list: [null, { double: 1.5 }],
        data: { api: 'Something', below },
      });
      const { code, records, said } = await dumpOf(schema, [event('1', { Event: event('2', null) })], codec);
      const plain = (id: string, below: unknown) => ({
        id,
        ticks: 133_485_408_000_000_000,
        small: -7,
        raw: 'AP8Q',
        fixed: 'YWJjZA==',
        either: 'Newer',
        maybe: 'eA==',
        tags: { a: { b: 'Yw==' } },
        list: [null, 1.5],
        data: { api: 'Something', below },
      });
      expect(records).toEqual([
        { ...plain('1', plain('2', null)), chunk: `${SHARD}00000.avro`, offset: expect.any(Number), index: 0 },
      ]);
      expect({ code, said }).toEqual({ code: 0, said: [] });
    },
  );
});
