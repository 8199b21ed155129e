import type { Stats } from 'node:fs';
import { z } from 'zod';
import type { Timestamp } from '../../../namespace/entry.ts';
import { formatKey, type Key } from '../../../namespace/key.ts';

/** The extended attribute that people and other tools filter by: `stub` or `hydrated`. */
export const STATE_ATTRIBUTE = 'user.isthmus.state';

/**
 * The extended attribute that holds a whole mark, as JSON. One and not one per field: on ext4 seven of them cost
 * twice the time of the file itself, and over NFS each is a round trip; and a mark can be changed in one step.
 */
export const ENTRY_ATTRIBUTE = 'user.isthmus.entry';

/** A file system may keep coarse times; a write by somebody else is seconds later. */
const TIME_TOLERANCE = 2000;

const PERMISSIONS = 0o777;

/** ext4 keeps all attributes of a file in 4 KiB. */
const MAX_BYTES = 2048;

/** What Isthmus writes on a file that it made. A file without a mark is foreign and is left alone. */
export interface Mark {
  readonly state: 'stub' | 'hydrated';
  readonly etag: string;
  /** Bytes of the blob, and of the file. */
  readonly length: number;
  /** The entry's revision that the file shows. */
  readonly revision: number;
  /** The time that was set on the file: the blob's, or that of making where it is not known. */
  readonly modified: Timestamp;
  /** `container/name`; absent where it would not fit, the path says it too. Where it names another key, the file was moved here. */
  readonly key?: string | undefined;
}

const schema = z.object({
  v: z.literal(1),
  state: z.enum(['stub', 'hydrated']),
  etag: z.string(),
  length: z.number(),
  revision: z.number(),
  modified: z.number(),
  key: z.string().optional(),
  authority: z.literal('blob'),
});

export function markFor(key: Key, mark: Omit<Mark, 'key'>): Mark {
  return { ...mark, key: formatKey(key) };
}

/** Whether somebody wrote to a hydrated file since. */
export function wasChanged(mark: Mark, { size, mtimeMs }: Pick<Stats, 'size' | 'mtimeMs'>): boolean {
  return size !== mark.length || mtimeMs > mark.modified + TIME_TOLERANCE;
}

/** What names one version of a blob: its ETag, and the length that every copy of it has. */
export type Version = Pick<Mark, 'etag' | 'length'>;

export function isVersion(mark: Mark, { etag, length }: Version): boolean {
  return mark.etag === etag && mark.length === length;
}

/** Whether a file's mode lets nobody in, as a stub's does. */
export function isClosed({ mode }: Pick<Stats, 'mode'>): boolean {
  return (mode & PERMISSIONS) === 0;
}

export function encodeMark(mark: Mark): string {
  const { key, ...rest } = mark;
  const whole = JSON.stringify({ v: 1, ...rest, authority: 'blob', key });
  return Buffer.byteLength(whole) <= MAX_BYTES ? whole : JSON.stringify({ v: 1, ...rest, authority: 'blob' });
}

/** @returns undefined where this is no mark of a version that is known: the file is then as good as foreign. */
export function decodeMark(text: string): Mark | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) return undefined;
  const { v: _v, authority: _authority, ...mark } = parsed.data;
  return mark;
}
