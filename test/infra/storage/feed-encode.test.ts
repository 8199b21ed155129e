import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blocksOf, headerOf, paddedVarint } from '../../../infra/local/storage/feed/encode.ts';
import { INIT_SEGMENT, manifestPath, manifestText, segmentsText } from '../../../infra/local/storage/feed/layout.ts';
import type { FeedRecord } from '../../../infra/local/storage/feed/record.ts';
import { FEED_SCHEMA, FEED_SCHEMA_TEXT } from '../../../infra/local/storage/feed/schema-v4.ts';
import { hasRealData, REAL_DATA } from '../../support/real-data.ts';
import { decodeChunk } from './read-feed.ts';

const FEED = join(REAL_DATA, 'changefeed');
const TREE = join(FEED, 'java-2020-06', '$blobchangefeed');

function real(...path: string[]): Buffer {
  return readFileSync(join(TREE, ...path));
}

/** Where the block at an offset of a real chunk ends: two padded varints, the records, the marker. */
function blockAt(chunk: Buffer, offset: number): Buffer {
  let size = 0n;
  for (let at = 0; at < 10; at++) size |= BigInt(chunk.readUInt8(offset + 10 + at) & 0x7f) << BigInt(7 * at);
  return chunk.subarray(offset, offset + 20 + Number(size >> 1n) + 16);
}

describe.skipIf(!hasRealData)('the feed beside the real one', () => {
  it('has the real schema, verbatim', () => {
    const text = readFileSync(join(FEED, 'schemas', 'v4-schema.json'), 'utf8');
    expect(FEED_SCHEMA).toEqual(JSON.parse(text));
    expect(FEED_SCHEMA_TEXT).toBe(JSON.stringify(JSON.parse(text)));
  });

  it.each(['2020/06/11/0000', '2020/05/12/2200', '2020/06/06/0000'])(
    'writes header and blocks of the real chunk %s byte for byte',
    async (hour) => {
      const chunk = real('log', '00', ...hour.split('/'), '00000.avro');
      const sync = chunk.subarray(-16);
      const header = headerOf(sync);
      expect(chunk.subarray(0, header.length).equals(header)).toBe(true);
      const records = [...(await decodeChunk(chunk))] as unknown as FeedRecord[];
      // The service cuts blocks by its own timing: each is encoded again by itself.
      let blocks = 0;
      for (let at = header.length; at < chunk.length; blocks++) {
        const block = blockAt(chunk, at);
        const count = Number(block.readUInt8(0) & 0x7f) / 2 + Number(block.readUInt8(1) & 0x7f) * 64;
        const encoded = blocksOf(records.splice(0, count), sync);
        expect(encoded.map(({ bytes }) => bytes.toString('hex'))).toEqual([block.toString('hex')]);
        at += block.length;
      }
      expect(records).toEqual([]);
      expect(blocks).toBeGreaterThan(0);
    },
  );

  it('writes manifests and segments.json with the keys of real ones, in their order', () => {
    const shape = (text: string) => text.replace(/"(?:aid|configVersionEtag|lastModifiedTime)":"[^"]*"/g, '""');
    const hour = Date.UTC(2020, 5, 11);
    expect(shape(manifestText(hour, 'Finalized', 3_600_000, 0))).toBe(
      shape(real('idx', 'segments', '2020', '06', '11', '0000', 'meta.json').toString()),
    );
    expect(shape(manifestText(INIT_SEGMENT, 'Finalized', 3_600_000, 0))).toBe(
      shape(real('idx', 'segments', '1601', '01', '01', '0000', 'meta.json').toString()),
    );
    expect(shape(segmentsText(Date.UTC(2020, 5, 16, 6), Date.UTC(2020, 5, 16, 5), 0))).toBe(
      shape(real('meta', 'segments.json').toString()),
    );
  });
});

describe('the feed', () => {
  it('pads every number to ten bytes, which any varint reader takes', () => {
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (value) => {
        const bytes = paddedVarint(value);
        let read = 0n;
        for (const [at, byte] of bytes.entries()) read |= BigInt(byte & 0x7f) << BigInt(7 * at);
        expect(read >> 1n).toBe(BigInt(value));
        expect([...bytes].map((byte) => byte >> 7)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
      }),
    );
  });

  it('names minutes in the paths of segments that are shorter than an hour', () => {
    expect(manifestPath(Date.UTC(2026, 10, 21, 9, 45))).toBe('idx/segments/2026/11/21/0945/meta.json');
  });
});
