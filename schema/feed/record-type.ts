import { inflateRawSync } from 'node:zlib';
import avro from 'avsc';
import type { AvroBlock } from './avro-block.ts';
import type { AvroHeader } from './avro-header.ts';
import { corrupt } from './corrupt.ts';

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
    throw corrupt(path, 0, 'the schema in the header cannot be read', error);
  }
  if (compiled.size >= MOST_SCHEMAS) compiled.clear();
  compiled.set(header.schema, type);
  return type;
}

/** The records of one block. `base` is the byte of the file that `bytes` begin at. */
export function* decodeBlock(
  path: string,
  header: AvroHeader,
  bytes: Uint8Array,
  block: AvroBlock,
  base: number,
): Generator<unknown> {
  const type = recordType(path, header);
  const data = blockData(path, header, bytes, block, base);
  let at = 0;
  for (let index = 0; index < block.records; index++) {
    let read: { value: unknown; offset: number };
    try {
      read = type.decode(data, at);
    } catch (error) {
      throw corrupt(path, base + block.start, `record ${index} of the block cannot be decoded`, error);
    }
    if (read.offset < 0) throw corrupt(path, base + block.start, `record ${index} of the block runs over its end`);
    at = read.offset;
    yield read.value;
  }
  if (at !== data.length) throw corrupt(path, base + block.start, 'the block holds more bytes than its records');
}

function blockData(path: string, header: AvroHeader, bytes: Uint8Array, block: AvroBlock, base: number): Buffer {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset + block.start, block.end - block.start);
  if (header.codec === 'null') return data;
  try {
    return inflateRawSync(data);
  } catch (error) {
    throw corrupt(path, base + block.start, 'the block cannot be inflated', error);
  }
}
