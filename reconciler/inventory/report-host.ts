import type { Timestamp } from '../../namespace/entry.ts';
import type { Key } from '../../namespace/key.ts';
import type { KeySet } from '../scope/key-set.ts';

/** What is to be read of one file of a report, and staged. */
export interface FileJob {
  readonly format: 'csv' | 'parquet';
  /** Bytes. */
  readonly length: number;
  /** The file's place in the manifest. */
  readonly part: number;
  readonly accountId: number;
  /** Names that may be judged; others are read and left out. */
  readonly scope: KeySet;
}

export interface FileRead {
  /** Of any kind. */
  readonly rows: number;
  readonly staged: number;
  /** Blobs whose names the index cannot hold. */
  readonly unstorable: number;
  /** The first of them. */
  readonly unstorableNames: readonly UnstorableRow[];
}

export interface UnstorableRow extends Key {
  readonly etag: string | undefined;
  readonly length: number | undefined;
  readonly lastModified: Timestamp | undefined;
}

/**
 * What whoever reads a file needs of the world, and all that a thread asks of the main one: the blob and the index
 * stay there.
 */
export interface ReportHost {
  /** Bytes of one version of the file. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** The index's numbers of these containers, in their order. */
  containers(names: readonly string[]): Promise<readonly number[]>;
  /** Takes rows as `StagedRows` writes them, and the buffer with them; returns when more may come. */
  stage(rows: Uint8Array<ArrayBuffer>): Promise<void>;
}
