import type { ContainerState } from '../../namespace/container.ts';
import type { Entry, Timestamp } from '../../namespace/entry.ts';
import type { Key } from '../../namespace/key.ts';
import type { Index, Queryable } from './database.ts';
import type { StubState } from './stubs.ts';
import { unbuilt } from './unbuilt.ts';

/** What stands in the sink for an entry. */
export interface StubStatus {
  /** The rule's sink when the entry was last written; none under no rule. */
  readonly sink: string | undefined;
  readonly due: boolean;
  readonly state: StubState;
  /** The entry's revision that the stub shows. */
  readonly revision: number;
  readonly etag: string | undefined;
  readonly detail: string | undefined;
  readonly tries: number;
}

/** A live entry with what stands for it. */
export interface EntryRow extends Entry {
  readonly stub: StubStatus;
  /** When the index last wrote it. */
  readonly changedAt: Timestamp;
}

export interface ListOptions {
  /** A plain prefix of `container/name`. */
  readonly prefix: string;
  /** Only what comes after this key, in key order. */
  readonly after?: Key | undefined;
  readonly limit: number;
  /** M of the clock rules. */
  readonly margin?: number | undefined;
}

/** Live entries (computed) under a prefix, in key order. Fewer than `limit` means that there are no more. */
export async function listEntries(
  _on: Queryable,
  _accountId: number,
  _options: ListOptions,
): Promise<readonly EntryRow[]> {
  return unbuilt('listEntries');
}

export interface EntryCounts {
  readonly live: number;
  readonly tombstones: number;
  /** Stored as live, but their container's incarnation is dead: a sweep will write them down. */
  readonly dead: number;
  readonly lookDue: number;
  readonly stubDue: number;
  readonly bytes: number;
  readonly byStub: Readonly<Record<StubState, number>>;
}

export async function countEntries(_on: Queryable, _accountId: number): Promise<EntryCounts> {
  return unbuilt('countEntries');
}

export interface Digest {
  readonly entries: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** SHA-256 over the live entries under a plain prefix, in key order, as `isthmus digest` documents it. Streams one snapshot; memory does not grow. */
export async function digestEntries(_index: Index, _accountId: number, _prefix: string): Promise<Digest> {
  return unbuilt('digestEntries');
}

export interface ExplainRow extends EntryRow {
  readonly containerState: ContainerState;
  /** Computed, as of now. */
  readonly isLive: boolean;
  readonly lookReason: string | undefined;
  readonly lookError: string | undefined;
}

/** @returns undefined where the index has never heard of the key. */
export async function explainEntry(_on: Queryable, _accountId: number, _key: Key): Promise<ExplainRow | undefined> {
  return unbuilt('explainEntry');
}
