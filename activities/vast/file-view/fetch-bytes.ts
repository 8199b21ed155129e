import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import pLimit from 'p-limit';
import { IsthmusError } from '../../../schema/errors.ts';
import type { OpenRange } from '../../../schema/ports/sink.ts';

const RANGE = 8 * 1024 * 1024;
const AT_ONCE = 4;

export interface Wanted {
  readonly length: number;
  /** Base64; undefined where the blob has none. */
  readonly md5: string | undefined;
}

/** Bytes that are not the blob's: too few, too many, or of another sum. */
export class BytesDiffer extends Error {}

/**
 * Fetches a blob into a new file, several ranges at once, and syncs it. The sum is taken in order from what was
 * written, behind the ranges, so that memory is bounded by the chunks in flight.
 *
 * Throws `BytesDiffer`, and whatever `openRange` throws; the file is then worth nothing.
 */
export async function fetchBytes(
  temp: string,
  wanted: Wanted,
  openRange: OpenRange,
  signal: AbortSignal,
): Promise<void> {
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_NOFOLLOW;
  const file = await open(temp, flags, 0o600);
  // One range that fails stops the others.
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  try {
    const limit = pLimit(AT_ONCE);
    const ranges = rangesOf(wanted.length).map(({ offset, length }) => ({
      offset,
      length,
      done: limit(() => fetchRange(file, offset, length, openRange, either)),
    }));
    const written = Promise.all(ranges.map((range) => range.done));
    try {
      await Promise.all([written, wanted.md5 === undefined ? undefined : checkSum(file, ranges, wanted.md5)]);
    } catch (error) {
      failed.abort(error);
      await Promise.allSettled(ranges.map((range) => range.done));
      throw error;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

function rangesOf(length: number): readonly { readonly offset: number; readonly length: number }[] {
  const count = Math.ceil(length / RANGE);
  return Array.from({ length: count }, (_, at) => ({
    offset: at * RANGE,
    length: Math.min(RANGE, length - at * RANGE),
  }));
}

async function fetchRange(
  file: FileHandle,
  offset: number,
  length: number,
  openRange: OpenRange,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  let at = offset;
  for await (const chunk of await openRange(offset, length, signal)) {
    signal.throwIfAborted();
    if (at + chunk.length > offset + length)
      throw new BytesDiffer(`more than ${length} bytes came from offset ${offset}`);
    await writeAll(file, chunk, at);
    at += chunk.length;
  }
  if (at !== offset + length) throw new BytesDiffer(`${at - offset} of ${length} bytes came from offset ${offset}`);
}

async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < chunk.length) {
    const { bytesWritten } = await file.write(chunk, written, chunk.length - written, position + written);
    if (bytesWritten === 0) throw new IsthmusError('ISTHMUS_SINK', 'the file system takes no more bytes');
    written += bytesWritten;
  }
}

async function checkSum(
  file: FileHandle,
  ranges: readonly { readonly offset: number; readonly length: number; readonly done: Promise<void> }[],
  md5: string,
): Promise<void> {
  const hash = createHash('md5');
  const buffer = Buffer.allocUnsafe(1024 * 1024);
  for (const range of ranges) {
    await range.done;
    for (let at = range.offset; at < range.offset + range.length; ) {
      const wanted = Math.min(buffer.length, range.offset + range.length - at);
      const { bytesRead } = await file.read(buffer, 0, wanted, at);
      if (bytesRead === 0) throw new BytesDiffer('the file is shorter than what was written to it');
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  }
  const sum = hash.digest('base64');
  if (sum !== md5) throw new BytesDiffer(`their MD5 is ${sum}, the blob's is ${md5}`);
}
