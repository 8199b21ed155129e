import { formatKey, type Key } from '../../namespace/key.ts';
import { hasCode, IsthmusError, messageOf } from '../../schema/errors.ts';
import type { BlobSource } from '../../schema/ports/blob-source.ts';
import type { ContainerIds } from '../run/containers.ts';
import type { Staging } from '../staging/staging.ts';
import { readWhole } from './read-ranges.ts';
import type { FileJob, FileRead, ReportHost } from './report-host.ts';
import type { ReportReader } from './report-reader.ts';

/** A file as its manifest describes it. */
export interface DescribedFile extends Omit<FileJob, 'length'> {
  readonly key: Key;
  /** Bytes; undefined where the manifest does not say. */
  readonly size: number | undefined;
}

/** What files are read with. */
export interface Reading {
  readonly blobs: BlobSource;
  readonly staging: Staging;
  readonly containers: ContainerIds;
  readonly reader: ReportReader;
}

/**
 * Stages the blobs of one file, all of them or, where this fails, none.
 *
 * @throws IsthmusError `ISTHMUS_REPORT_REJECTED` where the file is missing, has another size than its manifest
 * says, changed while it was read, or cannot be read as its format: then nothing is concluded from the report.
 * What goes wrong on the way to the blob or to the index passes as it is.
 */
export async function stageFile(reading: Reading, file: DescribedFile, signal: AbortSignal): Promise<FileRead> {
  const { key, size, ...job } = file;
  const found = await reading.blobs.look(key, signal);
  if (found.kind !== 'found') throw rejected(key, 'is missing');
  const { etag, length } = found.attributes;
  if (size !== undefined && size !== length) throw rejected(key, `has ${length} bytes, not ${size}`);

  await using copy = await reading.staging.copy();
  let failure: unknown;
  const passing = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      failure ??= error;
      throw error;
    }
  };
  const host: ReportHost = {
    read: (offset, count) => passing(readWhole(reading.blobs, key, { etag, offset, length: count }, signal)),
    containers: (names) => passing(reading.containers.of(names).then((idOf) => names.map(idOf))),
    stage: (lines) => passing(copy.write(lines)),
  };
  try {
    const read = await reading.reader.read({ ...job, length }, host, signal);
    await passing(copy.end());
    return read;
  } catch (error) {
    signal.throwIfAborted();
    if (hasCode(failure, 'ISTHMUS_SOURCE_CHANGED')) throw rejected(key, 'changed while it was read', error);
    if (failure !== undefined) throw failure;
    if (hasCode(error, 'ISTHMUS_SOURCE_UNAVAILABLE')) throw error;
    throw rejected(key, `cannot be read: ${messageOf(error)}`, error);
  }
}

function rejected(key: Key, what: string, cause?: unknown): IsthmusError {
  return new IsthmusError('ISTHMUS_REPORT_REJECTED', `the report's file ${formatKey(key)} ${what}`, { cause });
}
