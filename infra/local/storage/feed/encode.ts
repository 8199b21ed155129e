import { createHash } from 'node:crypto';
import avsc, { type Schema } from 'avsc';
import type { FeedRecord } from './record.ts';
import { FEED_SCHEMA, FEED_SCHEMA_TEXT } from './schema-v4.ts';

/** The most that a block of the real feed was seen to hold. */
const RECORDS_PER_BLOCK = 120;
const BYTES_PER_BLOCK = 66_144;

const PADDED_BYTES = 10;
const SYNC_BYTES = 16;

/** Unions are plain values: every union of the schema is of null and one type. */
const recordType = avsc.Type.forSchema(structuredClone(FEED_SCHEMA) as unknown as Schema, { wrapUnions: false });

/** An Avro block and how many records it holds. */
export interface Block {
  readonly bytes: Buffer;
  readonly records: number;
}

/** The marker that ends each block of a chunk: made of its path, so that a block encoded again is the same bytes. */
export function syncMarkerOf(chunkPath: string): Buffer {
  return createHash('md5').update(chunkPath).digest().subarray(0, SYNC_BYTES);
}

/** The header of a chunk: codec null and the schema, as in every real one. */
export function headerOf(sync: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from('Obj\u0001', 'latin1'),
    varint(2),
    text('avro.codec'),
    text('null'),
    text('avro.schema'),
    text(FEED_SCHEMA_TEXT),
    varint(0),
    sync,
  ]);
}

/** Encodes records into blocks no larger than real ones. The same records always give the same blocks. */
export function blocksOf(records: readonly FeedRecord[], sync: Buffer): readonly Block[] {
  const blocks: Block[] = [];
  let pending: Buffer[] = [];
  let bytes = 0;
  const close = (): void => {
    if (pending.length === 0) return;
    const sizes = [paddedVarint(pending.length), paddedVarint(bytes)];
    blocks.push({ bytes: Buffer.concat([...sizes, ...pending, sync]), records: pending.length });
    pending = [];
    bytes = 0;
  };
  for (const record of records) {
    const encoded = recordType.toBuffer(record);
    if (pending.length === RECORDS_PER_BLOCK || bytes + encoded.length > BYTES_PER_BLOCK) close();
    pending.push(encoded);
    bytes += encoded.length;
  }
  close();
  return blocks;
}

/** A zig-zag varint of exactly ten bytes: the service reserves the space before it knows the number. */
export function paddedVarint(value: number): Buffer {
  const bytes = Buffer.alloc(PADDED_BYTES, 0x80);
  let rest = BigInt(value) << 1n;
  for (let at = 0; rest > 0n; at++, rest >>= 7n) bytes.writeUInt8(Number(rest & 0x7fn) | 0x80, at);
  bytes.writeUInt8(bytes.readUInt8(PADDED_BYTES - 1) & 0x7f, PADDED_BYTES - 1);
  return bytes;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value * 2; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(bytes.length), bytes]);
}
