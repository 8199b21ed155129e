import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { REAL_DATA } from '../../../support/real-data.ts';

export const RECORDED = ['java-2020-06', 'js-stage-2020-06'] as const;

/** A copy of a recorded feed, to be broken; gone when the test ends. Paths are inside the container. */
export class FeedCopy implements AsyncDisposable {
  /** Holds the container by its name. */
  readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  static async of(feed: (typeof RECORDED)[number]): Promise<FeedCopy> {
    const dir = await mkdtemp(join(tmpdir(), 'isthmus-feed-'));
    await cp(join(REAL_DATA, 'changefeed', feed), dir, { recursive: true });
    return new FeedCopy(dir);
  }

  file(path: string): string {
    return join(this.dir, '$blobchangefeed', path);
  }

  read(path: string): Promise<Buffer> {
    return readFile(this.file(path));
  }

  async write(path: string, bytes: Uint8Array | string): Promise<void> {
    await mkdir(dirname(this.file(path)), { recursive: true });
    await writeFile(this.file(path), bytes);
  }

  async edit(path: string, change: (bytes: Buffer) => Uint8Array | string): Promise<void> {
    await this.write(path, change(await this.read(path)));
  }

  remove(path: string): Promise<void> {
    return rm(this.file(path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }
}
