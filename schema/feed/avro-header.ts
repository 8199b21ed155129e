import { FeedCorruptError } from './feed-error.ts';
import { readVarint } from './varint.ts';

/** Bytes of the marker that ends the header and every block. */
export const SYNC_BYTES = 16;
const MAGIC = Uint8Array.of(0x4f, 0x62, 0x6a, 0x01);

/** What a chunk's header says. The schema is inline, and chunks of one feed differ in it. */
export interface AvroHeader {
  readonly schema: string;
  readonly codec: 'null' | 'deflate';
  readonly sync: Uint8Array;
  /** Bytes of the header: where the first block begins. */
  readonly length: number;
}

/**
 * Reads the header of an Avro object container file from its first bytes.
 *
 * @returns `torn` where more bytes are needed (a chunk that was just created has none at all).
 */
export function parseHeader(path: string, bytes: Uint8Array): AvroHeader | 'torn' {
  for (let at = 0; at < MAGIC.length; at++) {
    if (at >= bytes.length) return 'torn';
    if (bytes[at] !== MAGIC[at]) throw new FeedCorruptError(path, 0, 'no Avro file: its first bytes are not "Obj1"');
  }
  const metadata = new Map<string, Uint8Array>();
  let at = MAGIC.length;
  for (;;) {
    const count = integer(path, bytes, at);
    if (count === 'torn') return 'torn';
    at = count.next;
    if (count.value === 0) break;
    if (count.value < 0) {
      // A negative count is followed by the size of the map's block.
      const size = integer(path, bytes, at);
      if (size === 'torn') return 'torn';
      at = size.next;
    }
    for (let left = Math.abs(count.value); left > 0; left--) {
      const key = slice(path, bytes, at);
      if (key === 'torn') return 'torn';
      const value = slice(path, bytes, key.next);
      if (value === 'torn') return 'torn';
      metadata.set(text(key.bytes), value.bytes);
      at = value.next;
    }
  }
  if (at + SYNC_BYTES > bytes.length) return 'torn';
  const schema = metadata.get('avro.schema');
  if (schema === undefined) throw new FeedCorruptError(path, 0, 'the header holds no avro.schema');
  const codec = text(metadata.get('avro.codec') ?? new Uint8Array()) || 'null';
  if (codec !== 'null' && codec !== 'deflate') throw new FeedCorruptError(path, 0, `codec '${codec}' is not known`);
  return { schema: text(schema), codec, sync: bytes.slice(at, at + SYNC_BYTES), length: at + SYNC_BYTES };
}

function integer(path: string, bytes: Uint8Array, at: number) {
  const read = readVarint(bytes, at);
  if (read.kind === 'bad') throw new FeedCorruptError(path, 0, 'the header holds no valid number here');
  return read.kind === 'torn' ? 'torn' : read;
}

function slice(path: string, bytes: Uint8Array, at: number) {
  const length = integer(path, bytes, at);
  if (length === 'torn') return 'torn';
  if (length.value < 0) throw new FeedCorruptError(path, 0, 'the header holds a negative length');
  const end = length.next + length.value;
  return end > bytes.length ? 'torn' : { bytes: bytes.subarray(length.next, end), next: end };
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
