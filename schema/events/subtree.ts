import { z } from 'zod';
import type { Timestamp } from '../../namespace/entry.ts';
import { isSystemContainer, type Key } from '../../namespace/key.ts';
import { parseBlobSubject, unstorable } from './blob-subject.ts';
import { keyOfBlobUrl } from './blob-url.ts';
import { check, type Envelope } from './envelope.ts';
import { UndecodableError } from './undecodable.ts';

/** A directory that was deleted or renamed: one event for every blob below it. Names of directories have no closing slash. */
export interface SubtreeChange {
  /** The directory that is no more. */
  readonly gone: Key;
  /** What it is called now; undefined where it was deleted. */
  readonly made: Key | undefined;
  /** Whether it was deleted with what was in it; one that was deleted without was empty. A rename always takes all. */
  readonly recursive: boolean;
  readonly time: Timestamp;
  readonly eventId: string;
  readonly api: string;
}

const optional = z.string().nullish();
const directoryData = z.object({
  api: z.string(),
  // A string in every sample; the specification of the SDKs says so too.
  recursive: z.union([z.boolean(), z.enum(['true', 'false'])]).nullish(),
  sourceUrl: optional,
  sourceBlobUrl: optional,
});

/**
 * Reads a `DirectoryDeleted` or a `DirectoryRenamed`, whose subject is the new name.
 *
 * @returns undefined where nothing of it lies outside the system containers.
 */
export function readSubtree(
  envelope: Envelope,
  type: 'DirectoryDeleted' | 'DirectoryRenamed',
  of: { readonly account: string; readonly time: Timestamp },
): SubtreeChange | undefined {
  const subject = parseBlobSubject(envelope.subject);
  if (subject === undefined) {
    const expected = `subject: expected .../containers/C/blobs/DIRECTORY, found '${envelope.subject}'`;
    throw new UndecodableError('bad-event', expected);
  }
  const data = check(directoryData, envelope.data, 'bad-event', 'data');
  const told = { time: of.time, eventId: envelope.id, api: data.api };
  if (type === 'DirectoryDeleted') {
    if (isSystemContainer(subject.container)) return undefined;
    return { ...told, gone: directory(subject), made: undefined, recursive: String(data.recursive) !== 'false' };
  }
  const url = data.sourceBlobUrl ?? data.sourceUrl ?? '';
  const source = keyOfBlobUrl(url, of.account);
  if (source === undefined) {
    const expected = `data.sourceBlobUrl or data.sourceUrl: expected the address of the directory's old name, found '${url}'`;
    throw new UndecodableError('bad-event', expected);
  }
  if (isSystemContainer(source.container) && isSystemContainer(subject.container)) return undefined;
  return { ...told, gone: directory(source), made: directory(subject), recursive: true };
}

function directory({ container, name }: Key): Key {
  const key = { container, name: name.replace(/\/+$/, '') };
  if (key.name === '') throw new UndecodableError('bad-event', `the directory of container '${container}' has no name`);
  const why = unstorable(key);
  if (why !== undefined) throw new UndecodableError('unstorable-name', `directory: ${why}: ${JSON.stringify(name)}`);
  return key;
}
