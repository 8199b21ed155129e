import type { Dirent } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { compareUtf8 } from '../../namespace/key.ts';
import { FeedUnavailableError } from '../../schema/feed/feed-error.ts';
import { SEGMENTS_FILE } from '../../schema/feed/segments.ts';
import type { FeedBytes, FeedCondition, FeedFile, FeedStore, FeedText } from '../../schema/ports/feed-store.ts';

const CONTAINER = '$blobchangefeed';

/** A copy of a `$blobchangefeed` container in a folder: the folder itself, or one that holds it by that name. */
export class FolderFeedStore implements FeedStore {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  /**
   * @param signs files and folders of which any says that a feed is there.
   * @throws `ISTHMUS_FEED_UNAVAILABLE` where the folder holds no feed.
   */
  static async open(folder: string, signs: readonly string[] = [SEGMENTS_FILE]): Promise<FolderFeedStore> {
    for (const root of [folder, join(folder, CONTAINER)]) {
      for (const sign of signs) if (await exists(join(root, sign))) return new FolderFeedStore(root);
    }
    throw new FeedUnavailableError(
      'not-enabled',
      `${folder} holds no change feed: expected ${SEGMENTS_FILE} in it, or in ${CONTAINER} below it`,
    );
  }

  async readText(
    path: string,
    condition: FeedCondition,
    signal: AbortSignal,
  ): Promise<FeedText | 'unchanged' | undefined> {
    signal.throwIfAborted();
    const file = join(this.#root, path);
    return absentAsUndefined(async () => {
      const etag = etagOf(await stat(file));
      return etag === condition.ifNoneMatch ? 'unchanged' : { text: await readFile(file, 'utf8'), etag };
    });
  }

  async *list(prefix: string, signal: AbortSignal): AsyncGenerator<FeedFile> {
    signal.throwIfAborted();
    const slash = prefix.lastIndexOf('/') + 1;
    yield* this.#walk(prefix.slice(0, slash), prefix, signal);
  }

  async *#walk(folder: string, prefix: string, signal: AbortSignal): AsyncGenerator<FeedFile> {
    signal.throwIfAborted();
    const entries = (await absentAsUndefined(() => readdir(join(this.#root, folder), { withFileTypes: true }))) ?? [];
    // A folder that is named like a file of the feed stands in that file's place, and whoever reads it is to learn so.
    const isFolder = (entry: Dirent) => entry.isDirectory() && !/\.(avro|json)$/.test(entry.name);
    const paths = entries.map((entry) => `${folder}${entry.name}${isFolder(entry) ? '/' : ''}`);
    for (const path of paths.sort(compareUtf8)) {
      if (path.endsWith('/')) {
        if (path.startsWith(prefix) || prefix.startsWith(path)) yield* this.#walk(path, prefix, signal);
      } else if (path.startsWith(prefix)) {
        const file = await stat(join(this.#root, path));
        yield { path, length: file.size, etag: etagOf(file), modifiedAt: Math.floor(file.mtimeMs) };
      }
    }
  }

  async readRange(
    path: string,
    offset: number,
    length: number,
    condition: FeedCondition,
    signal: AbortSignal,
  ): Promise<FeedBytes | 'unchanged' | undefined> {
    signal.throwIfAborted();
    return absentAsUndefined(async () => {
      await using file = await open(join(this.#root, path));
      const stats = await file.stat();
      const etag = etagOf(stats);
      if (etag === condition.ifNoneMatch) return 'unchanged';
      const bytes = new Uint8Array(Math.max(0, Math.min(length, stats.size - offset)));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return { bytes: bytes.subarray(0, filled), etag };
    });
  }
}

/** A file has no ETag of its own. */
function etagOf({ mtimeMs, size }: { readonly mtimeMs: number; readonly size: number }): string {
  return `${mtimeMs}-${size}`;
}

async function exists(path: string): Promise<boolean> {
  return (await absentAsUndefined(() => stat(path))) !== undefined;
}

async function absentAsUndefined<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    throw error;
  }
}
