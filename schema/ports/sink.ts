import type { Attributes } from '../../namespace/entry.ts';
import type { Key } from '../../namespace/key.ts';

export interface SinkCapabilities {
  /** `user.*` extended attributes can be kept; else a sidecar is used. */
  readonly attributes: 'xattr' | 'sidecar';
  readonly sparse: boolean;
  /** True where this process reads through mode 0000 (root without root squash): invariant 12 then rests on other users' rights. */
  readonly readsThroughMode: boolean;
}

/** What a stub says of its entry. */
export interface StubRequest {
  readonly key: Key;
  readonly attributes: Attributes;
  /** The entry's revision; kept with the stub so that a writer that comes late can tell. */
  readonly revision: number;
  /** Names under which its bytes may have been kept when they were removed: a sink that has kept none passes this over. */
  readonly formerly?: readonly Key[] | undefined;
}

/** How long a sink keeps bytes that nobody asks for, in milliseconds. */
export const KEEP_BYTES_MS = 86_400_000;

export type PutStubResult =
  | { readonly outcome: 'created' | 'updated' | 'unchanged' }
  /** The bytes of this very version are there: they were already, or had been kept under a former name. */
  | { readonly outcome: 'hydrated' }
  /** Something that Isthmus did not make stands there; it is left alone. */
  | { readonly outcome: 'conflict'; readonly reason: string }
  /** A directory stands there: live names below this one win. */
  | { readonly outcome: 'shadowed' }
  /** The parent is a file: `ancestor` is the blob whose stub stands in the way, and was removed. Ask again. */
  | { readonly outcome: 'displaced'; readonly ancestor: Key }
  | { readonly outcome: 'unrepresentable'; readonly reason: string };

export type RemoveResult =
  /** `kept`: its bytes were set aside. */
  | { readonly outcome: 'removed'; readonly kept?: true }
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'conflict'; readonly reason: string }
  | { readonly outcome: 'unrepresentable'; readonly reason: string };

/** One file that Isthmus made, as a walk of the sink finds it. `foreign` files carry no mark of ours. */
export interface SinkFile {
  readonly key: Key;
  readonly etag: string | undefined;
  readonly length: number;
  readonly state: 'stub' | 'hydrated' | 'foreign';
  /** `open`: a stub whose mode lets readers in (invariant 12). `changed`: somebody wrote to a hydrated file. */
  readonly damage?: 'open' | 'changed' | undefined;
}

/** What stands at a name. `directory`: live names below it may need it. `absent`: nothing that could be the name's. */
export type Standing = { readonly kind: 'absent' | 'directory' } | ({ readonly kind: 'file' } & Omit<SinkFile, 'key'>);

/** Opens bytes `[offset, offset + length)` of the version that is being hydrated. */
export type OpenRange = (offset: number, length: number, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;

export type HydrateResult =
  | { readonly outcome: 'hydrated'; readonly bytes: number }
  | { readonly outcome: 'already' }
  | { readonly outcome: 'conflict'; readonly reason: string }
  | { readonly outcome: 'unrepresentable'; readonly reason: string }
  | { readonly outcome: 'mismatch'; readonly reason: string };

/** A VAST view with a root. Every write is one atomic step and idempotent by key and revision. */
export interface Sink {
  capabilities(): Promise<SinkCapabilities>;
  putStub(stub: StubRequest, signal: AbortSignal): Promise<PutStubResult>;
  /**
   * Removes the stub or the hydrated file, and directories that become empty; the directories that remain are not an error.
   *
   * @param bytes `keep` sets the bytes of a hydrated file aside, for `KEEP_BYTES_MS` and where nobody sees them, so that
   *   a stub of the same version that was `formerly` called so takes them. A sink that cannot drops them. @default 'drop'
   */
  remove(key: Key, signal: AbortSignal, bytes?: 'drop' | 'keep'): Promise<RemoveResult>;
  /** Fetches the bytes, several ranges at once, checks length and MD5 where known, and replaces the stub. */
  hydrate(stub: StubRequest, open: OpenRange, signal: AbortSignal): Promise<HydrateResult>;
  /** Walks every file whose key starts with the prefix (a plain prefix of `container/name`). No order. Bounded memory. */
  walk(prefix: string, signal: AbortSignal): AsyncIterable<SinkFile>;
  /** Looks at one name, as a walk would tell of it now. */
  inspect(key: Key, signal: AbortSignal): Promise<Standing>;
  /** Takes what is at its root for its view from now on, by the word of an operator. */
  adoptView(): Promise<void>;
  /**
   * Removes temporary files that a crash left behind. Stopped by its signal, it throws, and the next call goes on from
   * there. Never two at once.
   *
   * @returns how many.
   */
  cleanUp(olderThanMs: number, signal: AbortSignal): Promise<number>;
}
