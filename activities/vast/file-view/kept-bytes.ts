import { hash } from 'node:crypto';
import { formatKey, type Key } from '../../../namespace/key.ts';
import type { StubRequest } from '../../../schema/ports/sink.ts';
import { type Files, unlessCode } from './files.ts';
import { isClosed, isVersion, type Mark, type Version, wasChanged } from './mark.ts';
import type { Marks } from './marks.ts';
import { TEMP_FOLDER } from './settings.ts';

const PREFIX = 'kept-';
/** Readable for nobody else: there is no blob of that name any more. */
const KEPT_MODE = 0o600;

/** Whether a path relative to the root is that of bytes that were kept. Threads have no folder of their own for them: any takes them. */
export function isKept(path: string): boolean {
  return path.startsWith(`${TEMP_FOLDER}/${PREFIX}`);
}

/**
 * Bytes of hydrated files whose blob has gone from its name, set aside for the name that it may have now.
 *
 * They are taken by a stub of the same ETag and length whose blob lay under the old name before a directory was
 * renamed. That is proof: the service keeps a file's ETag through a rename where the namespace is hierarchical (Hadoop's
 * `CommonPathCapabilities.ETAGS_PRESERVED_IN_RENAME`, which a store may declare only if it holds and which ABFS declares
 * of such accounts alone), and every write makes another. An ETag alone would be none: it is a blob's own. Where the
 * service gives a new one after all, nothing is taken, and the bytes go when they are old.
 *
 * Each is one file of its own name and version. It comes and goes by one rename, so that of two who would take it one does,
 * and the old name's writer and the new one's need nothing of each other's claims.
 */
export class KeptBytes {
  readonly #root: string;
  readonly #files: Files;
  readonly #marks: Marks;

  constructor(root: string, files: Files, marks: Marks) {
    this.#root = root;
    this.#files = files;
    this.#marks = marks;
  }

  /** Sets a hydrated file aside that was looked at and is unchanged. Its name is free then. */
  keep(key: Key, at: string, mark: Mark): void {
    const kept = keptPath(key, mark);
    this.#marks.announce(kept, at, mark, undefined);
    this.#files.rename(at, `${this.#root}/${kept}`);
    // Its age counts from here. A stub that a writer without a claim has put there meanwhile stays closed, and so is
    // not taken; through a symbolic link, another file's rights would be set.
    const stat = this.#files.stat(`${this.#root}/${kept}`);
    if (stat?.isFile() && !isClosed(stat)) this.#files.setModeAt(`${this.#root}/${kept}`, KEPT_MODE);
  }

  /** Moves the bytes of this very version to the temporary path. @returns the name that they were kept under; undefined where there are none. */
  take(stub: StubRequest, temp: string): Key | undefined {
    for (const from of stub.formerly ?? []) {
      const kept = keptPath(from, stub.attributes);
      const taken = unlessCode(() => this.#files.rename(`${this.#root}/${kept}`, temp) ?? true, 'ENOENT');
      if (taken === undefined) continue;
      const stat = this.#files.stat(temp);
      const mark = stat?.isFile() ? this.#marks.read(kept, temp, stat) : undefined;
      this.#marks.forget(kept);
      // By its mode a stub is told from them, which a sidecar may take for a file of its inode, length and time.
      const isWhole = stat !== undefined && mark?.state === 'hydrated' && !wasChanged(mark, stat) && !isClosed(stat);
      // The new name is there after a placing that failed.
      const isOf = [undefined, formatKey(from), formatKey(stub.key)].includes(mark?.key);
      if (isWhole && isOf && isVersion(mark, stub.attributes)) return from;
      unlessCode(() => this.#files.unlink(temp), 'ENOENT');
    }
    return undefined;
  }

  /** After a placing that failed: the next attempt takes them again. What cannot be put back is an orphan, found by its age. */
  putBack(from: Key, temp: string, mark: Mark): void {
    const kept = keptPath(from, mark);
    try {
      this.#files.setModeAt(temp, KEPT_MODE);
      this.#marks.announce(kept, temp, mark, undefined);
      this.#files.rename(temp, `${this.#root}/${kept}`);
    } catch {
      // What went wrong before matters more.
    }
  }
}

/** Relative to the root. No name holds a NUL. */
function keptPath(key: Key, { etag, length }: Version): string {
  return `${TEMP_FOLDER}/${PREFIX}${hash('sha256', [formatKey(key), etag, length].join('\0'), 'hex')}`;
}
