import type { Attributes, Timestamp } from '../../namespace/entry.ts';
import type { Key } from '../../namespace/key.ts';

/** What a HEAD said, at the server's time (its `Date` header), in milliseconds since 1970. */
export type LookResult =
  | { readonly kind: 'found'; readonly attributes: Attributes; readonly time: Timestamp }
  | { readonly kind: 'absent'; readonly time: Timestamp }
  /** The container itself is gone (404 `ContainerNotFound`) or being deleted (409 `ContainerBeingDeleted`). */
  | { readonly kind: 'container-gone'; readonly time: Timestamp };

/** One page of List Blobs: live base blobs only, in the service's order, as they were at `time`. */
export interface BlobPage {
  readonly blobs: readonly { readonly name: string; readonly attributes: Attributes }[];
  readonly time: Timestamp;
}

/** One page of a directory: the blobs right in it, and the prefixes, each with its closing slash, of what is further below. */
export interface DirectoryPage extends BlobPage {
  readonly prefixes: readonly string[];
}

export interface ContainerPage {
  readonly containers: readonly string[];
  readonly time: Timestamp;
}

/** A half-open range of bytes of one version of a blob. */
export interface RangeRequest {
  /** Without quotes. The read fails with `SourceChangedError` where the blob is no longer this version. */
  readonly etag: string;
  readonly offset: number;
  readonly length: number;
}

/** The account's blobs, read. Adapters retry what is transient; what reaches the caller is an answer or an error of `schema/errors.ts`. */
export interface BlobSource {
  look(key: Key, signal: AbortSignal): Promise<LookResult>;
  /** Every container but the system ones. */
  listContainers(signal: AbortSignal): AsyncIterable<ContainerPage>;
  listBlobs(container: string, prefix: string, signal: AbortSignal): AsyncIterable<BlobPage>;
  /** What `listBlobs` lists and has no slash after the prefix; every other name begins with just one of the prefixes. */
  listDirectory(container: string, prefix: string, signal: AbortSignal): AsyncIterable<DirectoryPage>;
  readRange(key: Key, range: RangeRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** A small blob, whole, as UTF-8 text; undefined where there is none. Used for inventory manifests. */
  readText(key: Key, signal: AbortSignal): Promise<string | undefined>;
}
