import type { RuleIndex } from '../../namespace/authority.ts';
import type { Attributes } from '../../namespace/entry.ts';
import type { Key } from '../../namespace/key.ts';
import type { Index, Queryable } from './database.ts';
import { unbuilt } from './unbuilt.ts';

/** What stands in the sink for an entry, as far as the last writer told. */
export const STUB_STATES = ['none', 'stub', 'hydrated', 'shadowed', 'unrepresentable', 'conflict', 'failed'] as const;
export type StubState = (typeof STUB_STATES)[number];

/** The stub of this key is behind its entry. It names no action: the stub is a function of the entry (invariant 6). */
export interface StubTask {
  readonly key: Key;
  readonly revision: number;
  /** Computed: false for a tombstone, and for an entry whose container's incarnation is dead. */
  readonly live: boolean;
  readonly attributes: Attributes | undefined;
  readonly stubState: StubState;
  readonly stubEtag: string | undefined;
  /** How often in a row this task has failed. */
  readonly tries: number;
}

/** Claims stub tasks of one sink, oldest first, in key order within the answer, skipping those that others hold. They come again after the lease. */
export async function claimStubs(
  _index: Index,
  _claim: {
    readonly accountId: number;
    readonly sink: string;
    readonly limit: number;
    readonly leaseMs: number;
    readonly rules: RuleIndex;
    /** M of the clock rules. */
    readonly margin?: number | undefined;
  },
): Promise<readonly StubTask[]> {
  return unbuilt('claimStubs');
}

export interface StubResult {
  readonly key: Key;
  /** The revision that was claimed. Where the entry has moved since, the task stays due and the result is dropped. */
  readonly revision: number;
  readonly state: StubState;
  readonly etag?: string | undefined;
  readonly detail?: string | undefined;
  /** The task stays due and comes again after this many milliseconds. */
  readonly retryInMs?: number | undefined;
}

/** @returns how many results were taken; the others lost to a moved revision. */
export async function releaseStubs(
  _index: Index,
  _accountId: number,
  _results: readonly StubResult[],
): Promise<number> {
  return unbuilt('releaseStubs');
}

/** Makes stubs due again, whatever their state: those of a shadowed ancestor, for one. Keys without an entry are passed over. */
export async function markStubsDue(_on: Queryable, _accountId: number, _keys: readonly Key[]): Promise<number> {
  return unbuilt('markStubsDue');
}

/** Whether a live entry's name starts with this one's and a slash. */
export async function hasLiveBelow(_on: Queryable, _accountId: number, _key: Key): Promise<boolean> {
  return unbuilt('hasLiveBelow');
}

export interface StubBacklog {
  readonly sink: string;
  readonly due: number;
  /** Of those, the ones that failed at least once. */
  readonly failing: number;
}

export async function countStubs(_on: Queryable, _accountId: number): Promise<readonly StubBacklog[]> {
  return unbuilt('countStubs');
}
