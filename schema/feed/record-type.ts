import { inflateRawSync } from 'node:zlib';
import avro from 'avsc';
import { alteredAt, isAltered } from './altered-text.ts';
import type { AvroBlock } from './avro-block.ts';
import { type AvroHeader, SYNC_BYTES } from './avro-header.ts';
import { FeedCorruptError } from './feed-error.ts';
import { type PrunedType, prune } from './pruned-type.ts';

/** Compiled schemas by their text: a feed has a handful, and compiling one costs more than decoding a block. */
const compiled = new Map<string, Decoder>();
const MOST_SCHEMAS = 64;

/** How the records of a schema are decoded. */
interface Decoder {
  /** Every field. */
  readonly whole: avro.Type;
  /** The fields that make a change, the others passed over. */
  readonly used: PrunedType | undefined;
}

/** The record type of a chunk, by the chunk's own schema: symbols and fields that are new are taken as they are. */
export function recordType(path: string, header: AvroHeader): avro.Type {
  return decoderOf(path, header).whole;
}

/** A record with every field. */
export interface DecodedRecord {
  readonly record: unknown;
  /** A text of it that is not its name is not UTF-8, and is another one than the file's. */
  readonly altered: boolean;
}

/** The records of one block, with every field. As for `decodeUsedFields`, no text but a name is damage where it is not UTF-8. */
export function decodeBlock(path: string, header: AvroHeader, block: AvroBlock): readonly DecodedRecord[] {
  const { whole } = decoderOf(path, header);
  try {
    return decode(path, header, block, { type: whole }, decodedRecord);
  } catch (error) {
    // The library refuses a long past 2^53, which is no damage: a time in steps of 100 ns is one.
    const rounded = avro.Type.forSchema(whole.schema(), { registry: { long: ROUNDED_LONG } });
    try {
      return decode(path, header, block, { type: rounded }, decodedRecord);
    } catch {
      throw error;
    }
  }
}

const ROUNDED_LONG = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => Number(bytes.readBigInt64LE()),
  toBuffer: (value: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    return bytes;
  },
  fromJSON: Number,
  toJSON: Number,
  isValid: Number.isInteger,
  compare: (a: number, b: number) => a - b,
});

/** The records of one block, with the fields that `readRecord` uses. */
export function decodeUsedFields(path: string, header: AvroHeader, block: AvroBlock): readonly unknown[] {
  const { whole, used } = decoderOf(path, header);
  return decode(path, header, block, used ?? { type: whole }, (record) => record);
}

/** What is made of a record, given the bytes that it was decoded from. */
type Take<Taken> = (record: unknown, bytes: Buffer, start: number, end: number) => Taken;

const decodedRecord: Take<DecodedRecord> = (record, bytes, start, end) => {
  return { record, altered: isAltered(record, bytes, start, end) };
};

/** @throws FeedCorruptError where the header's schema is none, so that no block of the file can be read. */
export function requireSchema(path: string, header: AvroHeader): void {
  decoderOf(path, header);
}

function decoderOf(path: string, header: AvroHeader): Decoder {
  const known = compiled.get(header.schema);
  if (known !== undefined) return known;
  let whole: avro.Type;
  try {
    const schema: avro.Schema = JSON.parse(header.schema);
    whole = avro.Type.forSchema(schema, { registry: {} });
  } catch (error) {
    throw new FeedCorruptError(path, 0, 'the schema in the header cannot be read', error);
  }
  if (compiled.size >= MOST_SCHEMAS) compiled.clear();
  const decoder = { whole, used: prune(whole) };
  compiled.set(header.schema, decoder);
  return decoder;
}

/** A block is damaged where a name in it was altered: it would be another blob's. */
function decode<Taken>(
  path: string,
  header: AvroHeader,
  block: AvroBlock,
  { type, resolver }: { readonly type: avro.Type; readonly resolver?: PrunedType['resolver'] },
  take: Take<Taken>,
): readonly Taken[] {
  const data = blockData(path, header, block);
  const records: Taken[] = [];
  let at = 0;
  for (let index = 0; index < block.records; index++) {
    let read: { value: unknown; offset: number };
    try {
      read = type.decode(data, at, resolver);
    } catch (error) {
      throw new FeedCorruptError(path, block.offset, `record ${index} of the block cannot be decoded`, error);
    }
    if (read.offset < 0) {
      throw new FeedCorruptError(path, block.offset, `record ${index} of the block runs over its end`);
    }
    const name = (read.value as { readonly subject?: unknown } | null)?.subject;
    if (isAltered(name, data, at, read.offset)) {
      const where = whereInFile(header, block, alteredAt(String(name), data, at, read.offset));
      const why = `record ${index} of the block holds a name that is not UTF-8${where}`;
      throw new FeedCorruptError(path, block.offset, why);
    }
    records.push(take(read.value, data, at, read.offset));
    at = read.offset;
  }
  if (at !== data.length) {
    throw new FeedCorruptError(path, block.offset, 'the block holds more bytes than its records');
  }
  return records;
}

/** @param at byte of the block's data, once it is inflated. */
function whereInFile({ codec }: AvroHeader, { data, next }: AvroBlock, at: number | undefined): string {
  if (at === undefined) return '';
  if (codec !== 'null') return `, at byte ${at} of the inflated block`;
  return `, at byte ${next - SYNC_BYTES - data.length + at} of the file`;
}

function blockData(path: string, header: AvroHeader, { data, offset }: AvroBlock): Buffer {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  if (header.codec === 'null') return bytes;
  try {
    return inflateRawSync(bytes);
  } catch (error) {
    throw new FeedCorruptError(path, offset, 'the block cannot be inflated', error);
  }
}
