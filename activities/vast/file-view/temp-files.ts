import { randomBytes } from 'node:crypto';
import { KEEP_BYTES_MS } from '../../../schema/ports/sink.ts';
import { type Files, unlessCode } from './files.ts';
import { isKept } from './kept-bytes.ts';
import type { Marks } from './marks.ts';
import { requireRoot } from './root.ts';
import { TEMP_FOLDER, type ViewSettings } from './settings.ts';

/** Makes the view's folder of temporary files, unless it is there. */
export function makeTempFolder(root: string, files: Files): void {
  makeFolder(`${root}/${TEMP_FOLDER}`, files);
}

/** Relative to the root. */
export function threadFolder(thread: number): string {
  return `${TEMP_FOLDER}/${thread}`;
}

/** Whether what lies in the view's folder of temporary files is that of a thread. */
export function isThreadFolder(name: string): boolean {
  return /^\d+$/.test(name);
}

/**
 * The temporary files of one thread's stubs, in a folder of its own: a directory is locked in the kernel for every name that
 * comes or goes, so that threads with one folder between them wait for each other with every stub. Another process may
 * have threads of the same numbers: names are unique, folders are not.
 */
export class TempFiles {
  readonly #settings: ViewSettings;
  readonly #files: Files;
  readonly #folder: string;
  readonly #run = randomBytes(8).toString('hex');
  #made = false;
  #count = 0;

  constructor(settings: ViewSettings, files: Files, thread: number) {
    this.#settings = settings;
    this.#files = files;
    this.#folder = `${settings.root}/${threadFolder(thread)}`;
  }

  /** A name that no other writer uses, in any process. The first one makes the folder. */
  path(): string {
    if (!this.#made) this.makeFolder();
    return `${this.#folder}/${this.#run}-${this.#count++}`;
  }

  /** Makes the folder and the one above it, where bytes are fetched to, unless they are there. Throws `ISTHMUS_SINK` where the root is gone: it is not for Isthmus to make. */
  makeFolder(): void {
    requireRoot(this.#settings, this.#files);
    makeTempFolder(this.#settings.root, this.#files);
    makeFolder(this.#folder, this.#files);
    this.#made = true;
  }
}

/** Removes what lies in those folders if its last change is longer ago; kept bytes stay for `KEEP_BYTES_MS` at least. @returns whether it went, and was no kept bytes. */
export function cleanTemp(root: string, files: Files, marks: Marks, path: string, olderThanMs: number): boolean {
  const at = `${root}/${path}`;
  const stat = files.stat(at);
  const kept = isKept(path);
  const age = kept ? Math.max(olderThanMs, KEEP_BYTES_MS) : olderThanMs;
  if (stat === undefined || stat.ctimeMs > Date.now() - age || stat.isDirectory()) return false;
  const removed = unlessCode(() => files.unlink(at) ?? true, 'ENOENT') ?? false;
  if (removed && kept) marks.forget(path);
  return removed && !kept;
}

function makeFolder(path: string, files: Files): void {
  unlessCode(() => files.makeDirectory(path), 'EEXIST');
}
