import { inflateRawSync } from 'node:zlib';
import avro from 'avsc';
import type { AvroBlock } from './avro-block.ts';
import type { AvroHeader } from './avro-header.ts';
import { FeedCorruptError } from './feed-error.ts';

/** Compiled schemas by their text: a feed has a handful, and compiling one costs more than decoding a block. */
const compiled = new Map<string, avro.Type>();
const MOST_SCHEMAS = 64;

/** The record type of a chunk, by the chunk's own schema: symbols and fields that are new are taken as they are. */
export function recordType(path: string, header: AvroHeader): avro.Type {
  const known = compiled.get(header.schema);
  if (known !== undefined) return known;
  let type: avro.Type;
  try {
    const schema: avro.Schema = JSON.parse(header.schema);
    type = avro.Type.forSchema(schema, { registry: {} });
  } catch (error) {
    throw new FeedCorruptError(path, 0, 'the schema in the header cannot be read', error);
  }
  if (compiled.size >= MOST_SCHEMAS) compiled.clear();
  compiled.set(header.schema, type);
  return type;
}

/** The records of one block, whole. */
export function decodeBlock(path: string, header: AvroHeader, block: AvroBlock): readonly unknown[] {
  const type = recordType(path, header);
  const data = blockData(path, header, block);
  const records: unknown[] = [];
  let at = 0;
  for (let index = 0; index < block.records; index++) {
    let read: { value: unknown; offset: number };
    try {
      read = type.decode(data, at);
    } catch (error) {
      throw new FeedCorruptError(path, block.offset, `record ${index} of the block cannot be decoded`, error);
    }
    if (read.offset < 0)
      throw new FeedCorruptError(path, block.offset, `record ${index} of the block runs over its end`);
    at = read.offset;
    records.push(read.value);
  }
  if (at !== data.length) {
    throw new FeedCorruptError(path, block.offset, 'the block holds more bytes than its records');
  }
  return records;
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
