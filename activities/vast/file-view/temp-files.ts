import { randomBytes } from 'node:crypto';
import { type Files, unlessCode } from './files.ts';
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
 * The temporary files of one thread, in a folder of its own: a directory is locked in the kernel for every name that
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

  /** Makes the folder, unless it is there. Throws `ISTHMUS_SINK` where the root is gone: it is not for Isthmus to make. */
  makeFolder(): void {
    requireRoot(this.#settings, this.#files);
    makeTempFolder(this.#settings.root, this.#files);
    makeFolder(this.#folder, this.#files);
    this.#made = true;
  }
}

function makeFolder(path: string, files: Files): void {
  unlessCode(() => files.makeDirectory(path), 'EEXIST');
}
