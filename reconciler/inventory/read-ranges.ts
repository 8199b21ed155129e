import { setTimeout as sleep } from 'node:timers/promises';
import { formatKey, type Key } from '../../namespace/key.ts';
import { IsthmusError } from '../../schema/errors.ts';
import type { BlobSource, RangeRequest } from '../../schema/ports/blob-source.ts';

/** One request; what a cut connection costs at most, and what waits in memory. */
const RANGE = 4 * 1024 * 1024;
const ATTEMPTS = 5;

/**
 * Reads a range of one version of a blob, piece by piece, each whole. A piece that is cut off is read again;
 * a blob that changed meanwhile fails at once.
 */
export async function* readRanges(
  blobs: BlobSource,
  key: Key,
  range: RangeRequest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const end = range.offset + range.length;
  for (let offset = range.offset; offset < end; offset += RANGE) {
    yield await readPiece(blobs, key, { etag: range.etag, offset, length: Math.min(RANGE, end - offset) }, signal);
  }
}

/** The same, all of it at once. */
export async function readWhole(
  blobs: BlobSource,
  key: Key,
  range: RangeRequest,
  signal: AbortSignal,
): Promise<Buffer<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readRanges(blobs, key, range, signal)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function readPiece(blobs: BlobSource, key: Key, range: RangeRequest, signal: AbortSignal): Promise<Uint8Array> {
  for (let attempt = 1; ; attempt++) {
    try {
      const pieces: Uint8Array[] = [];
      for await (const piece of await blobs.readRange(key, range, signal)) pieces.push(piece);
      const bytes = Buffer.concat(pieces);
      if (bytes.length === range.length) return bytes;
      const got = `${bytes.length} of ${range.length} bytes from ${range.offset}`;
      throw new IsthmusError('ISTHMUS_SOURCE_UNAVAILABLE', `${formatKey(key)} was cut off: ${got}`);
    } catch (error) {
      const changed = error instanceof IsthmusError && error.code === 'ISTHMUS_SOURCE_CHANGED';
      if (signal.aborted || changed || attempt >= ATTEMPTS) throw error;
      await sleep(100 * 2 ** attempt, undefined, { signal });
    }
  }
}
