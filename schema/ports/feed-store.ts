/** The files of a `$blobchangefeed` container: the account's own, or a copy kept in a folder. Paths are inside the container, without its name. */
export interface FeedStore {
  /** @returns undefined where there is no such file. Throws `FeedUnavailableError` where there is no feed at all, with the reason. */
  readText(path: string, signal: AbortSignal): Promise<{ readonly text: string; readonly etag: string } | undefined>;
  /** Files below a path prefix, in name order, with their length in bytes. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<{ readonly path: string; readonly length: number }>;
  /** At most `length` bytes from `offset`; empty at the end (the service answers 416 or an empty 200). Undefined where the file is gone. */
  readRange(path: string, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array | undefined>;
}
