import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseBlock } from '../../../schema/feed/avro-block.ts';
import { parseHeader } from '../../../schema/feed/avro-header.ts';
import { type DecodedRecord, decodeBlock, decodeUsedFields } from '../../../schema/feed/record-type.ts';
import { avroBlock, avroHeader, feedRecord } from '../../activities/azure/memory-feed.ts';

const PATH = 'log/00/2026/01/01/0000/00000.avro';
const PLACEHOLDER = '~~~~';

/** Decodes three records, with other bytes where the placeholder stands. */
function decoding<Decoded>(
  decode: (...block: Parameters<typeof decodeBlock>) => readonly Decoded[],
  records: readonly unknown[],
  bytes: readonly number[],
) {
  const header = parseHeader(PATH, avroHeader());
  if (header === 'torn') throw new TypeError('the header is torn');
  const file = avroBlock([feedRecord(1), ...records, feedRecord(3)]);
  for (let at = file.indexOf(PLACEHOLDER); at >= 0; at = file.indexOf(PLACEHOLDER)) Buffer.from(bytes).copy(file, at);
  const block = parseBlock(PATH, header, file, header.length, header.length);
  if (block === 'torn') throw new TypeError('the block is torn');
  return () => decode(PATH, header, block);
}

describe.each([
  ['with every field', (...block: Parameters<typeof decodeBlock>) => decodeBlock(...block).map(({ record }) => record)],
  ['with the fields that are used', decodeUsedFields],
])('a block decoded %s', (_, decode) => {
  it.each([
    ['a byte that begins nothing', [0xff, 0x62, 0x63, 0x64], 0],
    ['a character that is cut', [0x61, 0x62, 0xe2, 0x82], 2],
    ['half of a pair', [0x61, 0xed, 0xa0, 0x80], 1],
    ['a longer form than need be', [0x61, 0x62, 0xc0, 0xaf], 2],
    ['the replacement character, and then such a byte', [0xef, 0xbf, 0xbd, 0xff], 3],
  ])('is damaged where a name holds %s, and says at which byte of the file', (_what, bytes, bad) => {
    const records = [feedRecord(1), feedRecord(2, `a${PLACEHOLDER}b`)];
    const at = avroHeader().length + avroBlock([...records, feedRecord(3)]).indexOf(PLACEHOLDER) + bad;
    expect(decoding(decode, records.slice(1), bytes)).toThrow(
      expect.objectContaining({
        path: PATH,
        offset: avroHeader().length,
        why: `record 1 of the block holds a name that is not UTF-8, at byte ${at} of the file`,
      }),
    );
  });

  it('is damaged where it is compressed, and says at which byte of what it holds', () => {
    const header = parseHeader(PATH, avroHeader('deflate'));
    if (header === 'torn') throw new TypeError('the header is torn');
    const plain = avroBlock([feedRecord(1, `a${PLACEHOLDER}b`)]).subarray(20, -16);
    const at = plain.indexOf(PLACEHOLDER);
    plain[at] = 0xff;
    const block = { offset: header.length, records: 1, data: deflateRawSync(plain), next: header.length + 100 };
    expect(() => decode(PATH, header, block)).toThrow(
      expect.objectContaining({
        why: `record 0 of the block holds a name that is not UTF-8, at byte ${at} of the inflated block`,
      }),
    );
  });

  it('holds a name as it is that has the replacement character itself', () => {
    const name = 'a\ufffd日本/\u{1f600}';
    expect(decoding(decode, [feedRecord(2, name)], [])()[1]).toMatchObject({ subject: expect.stringContaining(name) });
  });
});

it('a block decoded with every field says of which records another text than the name was altered', () => {
  const record = feedRecord(2);
  const { data } = record;
  const altered = (decoded: readonly DecodedRecord[]) => decoded.map(({ altered }) => altered);
  for (const odd of [
    { ...record, data: { ...data, api: PLACEHOLDER } },
    { ...record, data: { ...data, containerVersion: PLACEHOLDER } },
    { ...record, data: { ...data, addedLater: { key: PLACEHOLDER } } },
    { ...record, data: { ...data, addedLater: { [PLACEHOLDER]: 'value' } } },
  ]) {
    expect(altered(decoding(decodeBlock, [odd], [0x61, 0xff, 0x62, 0x63])())).toEqual([false, true, false]);
    expect(altered(decoding(decodeBlock, [odd], [0xef, 0xbf, 0xbd, 0x63])())).toEqual([false, false, false]);
  }
});
