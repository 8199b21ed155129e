import type { Timestamp } from '../../namespace/entry.ts';
import { messageOf } from '../../schema/errors.ts';
import { parseHeader } from '../../schema/feed/avro-header.ts';
import { FeedUnavailableError, type FeedUnavailableReason } from '../../schema/feed/feed-error.ts';
import { parseManifest } from '../../schema/feed/manifest.ts';
import { SEGMENTS, segmentTime } from '../../schema/feed/segment-path.ts';
import { parseSegments, SEGMENTS_FILE } from '../../schema/feed/segments.ts';
import type { FeedFile, FeedStore, FeedText } from '../../schema/ports/feed-store.ts';
import { answerWithin } from './answer-within.ts';

/** How far the feed is applied, by the index. */
export interface FeedPlace {
  readonly segment: string | undefined;
  readonly shards: Readonly<Record<string, { readonly chunk: string; readonly offset: number }>>;
}

/** Bytes that the feed holds and the index has not. */
export interface Unread {
  readonly bytes: number;
  /** One of the chunks. */
  readonly chunk: string;
  /** A moment by which there were some: the oldest last write of their chunks, where the store tells it. */
  readonly since: Timestamp | undefined;
}

/** What the feed itself shows, asked beside the loop that reads it. */
export type FeedView =
  | { readonly kind: 'seen'; readonly opened: Timestamp | undefined; readonly unread: Unread | undefined }
  | { readonly kind: 'unseen'; readonly why: FeedUnavailableReason | 'unreachable'; readonly message: string };

/** No more of a chunk is fetched to see whether it holds a header alone; headers are 2 to 4 KB. */
const HEADER_BYTES = 32 * 1024;
/** A glance is taken every few seconds: what takes longer is no answer. */
const ANSWER_MS = 4_000;

/**
 * Sees whether the feed has something that was not taken, without reading it: the lengths of the chunks of the
 * newest segment, and of the one that the cursor is in, against the cursor. `segments.json` alone would not do: it
 * moves when a segment opens, and a loop that hangs inside an open one would be missed for an hour.
 *
 * A glance costs a conditional GET of `segments.json`, one of each of the two manifests, and a listing for each shard.
 */
export class FeedEye {
  readonly #store: FeedStore;
  readonly #texts = new Map<string, FeedText>();
  /** Chunks of which only the header was written, by their length then. */
  readonly #headers = new Map<string, number>();
  #newest: { readonly etag: string; readonly path: string } | undefined;

  constructor(store: FeedStore) {
    this.#store = store;
  }

  /** Never throws but for the signal, and never waits long. */
  async look(place: FeedPlace, signal: AbortSignal): Promise<FeedView> {
    try {
      return await answerWithin(ANSWER_MS, 'the account', signal, (within) => this.#see(place, within));
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof FeedUnavailableError ? error.why : 'unreachable';
      return { kind: 'unseen', why, message: messageOf(error) };
    }
  }

  async #see(place: FeedPlace, signal: AbortSignal): Promise<FeedView> {
    const file = await this.#text(SEGMENTS_FILE, signal);
    if (file === undefined) return { kind: 'seen', opened: undefined, unread: undefined };
    const opened = parseSegments(file.text).lastConsumable;
    const newest = await this.#newestManifest(file.etag, opened, signal);
    const paths = new Set([place.segment, newest].filter((path) => path !== undefined));
    this.#forgetAllBut(paths);
    const unread: Unread[] = [];
    for (const path of paths) {
      if (path >= (place.segment ?? '')) unread.push(...(await this.#unreadOf(path, place, signal)));
    }
    return { kind: 'seen', opened: segmentTime(newest ?? '') === undefined ? undefined : opened, unread: sum(unread) };
  }

  async #unreadOf(path: string, place: FeedPlace, signal: AbortSignal): Promise<readonly Unread[]> {
    const file = await this.#text(path, signal);
    if (file === undefined) return [];
    const unread: Unread[] = [];
    for (const shard of parseManifest(path, file.text).shards) {
      const position = path === place.segment ? place.shards[shard] : undefined;
      for await (const chunk of this.#store.list(shard, signal)) {
        if (position !== undefined && chunk.path < position.chunk) continue;
        const read = chunk.path === position?.chunk ? position.offset : await this.#headerOf(chunk, signal);
        const bytes = chunk.length - read;
        if (bytes > 0) unread.push({ bytes, chunk: chunk.path, since: chunk.modifiedAt });
      }
    }
    return unread;
  }

  /** Bytes of a chunk that tell nothing: its header, where it holds no more than that. */
  async #headerOf({ path, length }: FeedFile, signal: AbortSignal): Promise<number> {
    if (length === 0 || length > HEADER_BYTES) return 0;
    if (this.#headers.get(path) === length) return length;
    const answer = await this.#store.readRange(path, 0, length, {}, signal);
    if (answer === undefined || answer === 'unchanged') return 0;
    const header = parseHeader(path, answer.bytes);
    if (header !== 'torn' && header.length < length) return 0;
    this.#headers.set(path, length);
    return length;
  }

  /** Listed anew only when a segment has opened; the manifest may appear a little after it is named. */
  async #newestManifest(etag: string, opened: Timestamp, signal: AbortSignal): Promise<string | undefined> {
    if (this.#newest?.etag === etag) return this.#newest.path;
    const day = new Date(opened).toISOString().slice(0, 10).replaceAll('-', '/');
    let newest: string | undefined;
    for await (const { path } of this.#store.list(`${SEGMENTS}${day}/`, signal)) {
      const time = segmentTime(path);
      if (time !== undefined && time <= opened) newest = path;
    }
    if (newest !== undefined && segmentTime(newest) === opened) this.#newest = { etag, path: newest };
    return newest;
  }

  async #text(path: string, signal: AbortSignal): Promise<FeedText | undefined> {
    const known = this.#texts.get(path);
    const answer = await this.#store.readText(path, known === undefined ? {} : { ifNoneMatch: known.etag }, signal);
    if (answer === 'unchanged') return known;
    if (answer === undefined) this.#texts.delete(path);
    else this.#texts.set(path, answer);
    return answer;
  }

  #forgetAllBut(paths: ReadonlySet<string>): void {
    for (const path of this.#texts.keys()) {
      if (path === SEGMENTS_FILE || paths.has(path)) continue;
      this.#texts.delete(path);
      this.#headers.clear();
    }
  }
}

function sum(unread: readonly Unread[]): Unread | undefined {
  const [first] = unread;
  if (first === undefined) return undefined;
  const times = unread.map(({ since }) => since).filter((since) => since !== undefined);
  const since = times.length === 0 ? undefined : Math.min(...times);
  return { bytes: unread.reduce((total, { bytes }) => total + bytes, 0), chunk: first.chunk, since };
}
