import { parseBlock } from '../../schema/feed/avro-block.ts';
import type { AvroHeader } from '../../schema/feed/avro-header.ts';
import { FeedCorruptError } from '../../schema/feed/feed-error.ts';
import { decodeBlock } from '../../schema/feed/record-type.ts';
import { readVarint } from '../../schema/feed/varint.ts';

/** How far before a marker the beginning of its block is looked for: fifteen times the longest block that was seen. */
export const LONGEST_BLOCK = 1024 * 1024;

/** Bytes of a file, from byte `start` of it on. */
export interface HeldBytes {
  readonly bytes: Uint8Array;
  readonly start: number;
}

/**
 * The beginning, not before `from`, of the whole block that ends in the marker at this offset. Nothing points to a
 * block whose predecessor is damaged, so every byte is tried: what leads to the marker and decodes is the block.
 */
export function wholeBlockBefore(
  path: string,
  header: AvroHeader,
  { bytes, start }: HeldBytes,
  from: number,
  marker: number,
): number | undefined {
  const end = marker - start;
  for (let at = Math.max(0, from - start, end - LONGEST_BLOCK); at < end; at++) {
    const count = readVarint(bytes, at);
    if (count.kind !== 'value' || count.value < 1) continue;
    const size = readVarint(bytes, count.next);
    if (size.kind !== 'value' || size.next + size.value !== end) continue;
    if (isWhole(path, header, bytes, start + at, start)) return start + at;
  }
  return undefined;
}

function isWhole(path: string, header: AvroHeader, bytes: Uint8Array, offset: number, base: number): boolean {
  try {
    const block = parseBlock(path, header, bytes, offset, base);
    if (block === 'torn') return false;
    decodeBlock(path, header, block);
    return true;
  } catch (error) {
    if (error instanceof FeedCorruptError) return false;
    throw error;
  }
}
