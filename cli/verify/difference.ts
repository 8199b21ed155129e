import type { Key } from '../../namespace/key.ts';

/** One name as one side has it. */
export interface Version {
  /** Without quotes; null where the side does not tell it. */
  readonly etag: string | null;
  readonly length: number;
}

/**
 * One name that the three sides do not tell alike. `apart`: a name that the sink cannot show (a directory of
 * the same name stands there, or the name is no path): listed, and no difference.
 */
export interface Difference {
  readonly key: Key;
  readonly source: Version | undefined;
  readonly index: Version | undefined;
  readonly sink: Version | undefined;
  readonly apart: boolean;
  /** In words: what is wrong, or why the name stands apart. */
  readonly what: string;
}

/** Names on each side, under the Blob-authoritative rules and the prefix. */
export interface VerifyCounts {
  readonly source: number;
  readonly index: number;
  readonly sink: number;
}

export interface VerifyResult extends VerifyCounts {
  readonly differences: number;
  readonly shadowed: number;
  readonly unrepresentable: number;
}
