import { readFile, rename, writeFile } from 'node:fs/promises';

/** A small JSON file that is replaced in one step, so that a crash leaves the old or the new text. */
export class StateFile<T> {
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  async read(): Promise<T | undefined> {
    try {
      return JSON.parse(await readFile(this.#path, 'utf8')) as T;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Writes come to rest in the order of the calls. */
  write(value: T): Promise<void> {
    const text = JSON.stringify(value);
    const written = this.#writing.then(async () => {
      await writeFile(`${this.#path}.new`, text);
      await rename(`${this.#path}.new`, this.#path);
    });
    this.#writing = written.catch(() => undefined);
    return written;
  }
}
