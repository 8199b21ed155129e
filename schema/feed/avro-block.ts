import { type AvroHeader, SYNC_BYTES } from './avro-header.ts';
import { corrupt } from './corrupt.ts';
import { readVarint } from './varint.ts';

/** Azure's blocks hold at most 66,144 bytes; one this large is damage, not data. */
const MAX_BLOCK_BYTES = 64 * 1024 * 1024;

/** One whole block, as it stands in `bytes`. */
export interface AvroBlock {
  readonly records: number;
  readonly start: number;
  readonly end: number;
  /** Where the next block begins. */
  readonly next: number;
}

/**
 * Finds the block at an offset of `bytes`, which begin at byte `base` of the file.
 *
 * @returns `torn` where the block is not all there: at the end of a file that grows this means not yet. A block that
 * is there and does not end in the file's marker is damage.
 */
export function parseBlock(
  path: string,
  header: AvroHeader,
  bytes: Uint8Array,
  offset: number,
  base: number,
): AvroBlock | 'torn' {
  const count = readVarint(bytes, offset);
  if (count.kind === 'torn') return 'torn';
  if (count.kind === 'bad' || count.value < 0) throw corrupt(path, base + offset, 'no valid count of records');
  const size = readVarint(bytes, count.next);
  if (size.kind === 'torn') return 'torn';
  if (size.kind === 'bad' || size.value < 0 || size.value > MAX_BLOCK_BYTES) {
    throw corrupt(path, base + count.next, 'no valid size of a block');
  }
  const end = size.next + size.value;
  if (end + SYNC_BYTES > bytes.length) return 'torn';
  for (let at = 0; at < SYNC_BYTES; at++) {
    if (bytes[end + at] !== header.sync[at])
      throw corrupt(path, base + end, "the block does not end in the file's marker");
  }
  return { records: count.value, start: size.next, end, next: end + SYNC_BYTES };
}
