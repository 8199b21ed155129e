import { FeedCorruptError, FeedGapError } from '../../../schema/feed/feed-error.ts';

/** Something of a feed that should be whole and is not. */
export interface Broken {
  readonly kind: 'broken';
  /** Inside the container, without its name. */
  readonly path: string;
  /** Of the block, in bytes; 0 for a header, and for a file as a whole. */
  readonly offset: number;
  /** Where reading went on in the same file: the bytes between are left out. */
  readonly until?: number | undefined;
  /** Where the damage ends: the file's end where reading did not go on. None where it is no stretch of a file. */
  readonly reach?: number | undefined;
  readonly why: string;
}

/** Something odd that a reader of the feed should know, though nothing is broken. */
export interface Note {
  readonly kind: 'note';
  readonly path: string;
  readonly why: string;
}

export function broken(path: string, offset: number, why: string): Broken {
  return { kind: 'broken', path, offset, why };
}

/**
 * What a failure says is broken: damage, a file that is gone, or one of a copy that cannot be read.
 *
 * @returns undefined where it says nothing of the feed (nobody answers, an abort, a bug).
 */
export function brokenBy(error: unknown, path: string): Broken | undefined {
  if (error instanceof FeedCorruptError) return broken(error.path, error.offset, error.why);
  if (error instanceof FeedGapError) return broken(error.missing, 0, 'it was removed after it was listed');
  const ofSystem = error instanceof Error && 'syscall' in error && 'errno' in error && 'code' in error;
  // A folder is found to be one when it is read, by when its path is forgotten.
  return ofSystem && ('path' in error || error.code === 'EISDIR')
    ? broken(path, 0, `it cannot be read: ${String(error.code)}`)
    : undefined;
}

export function isDamage(error: unknown): error is FeedCorruptError {
  return error instanceof FeedCorruptError;
}
