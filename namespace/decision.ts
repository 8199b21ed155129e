import type { Entry, Timestamp } from './entry.ts';

/** What every clock may err by, and which creates are too old to be believed without a look. */
export interface ClockPolicy {
  /**
   * M of the clock rules, in milliseconds: larger than what any two clocks of the account may disagree by. A
   * clock that tells a container's epoch may disagree with others by less than 15 s, whatever M is.
   */
  readonly margin: number;
  /**
   * The latest of: the start of the last complete inventory, the start of the listing that an index began with,
   * and the time up to which tombstones were purged by their `seen`. None before any of them.
   */
  readonly horizon: Timestamp | undefined;
  /**
   * Whether a look can be had. Without (`replay` of a feed kept in a folder) the record's own values are
   * taken and only epoch and sequencer order changes.
   */
  readonly looks: boolean;
  /**
   * Whether triggers and feed print the same sequencers. Where it is known that they do not, triggers are not
   * applied, and the feed outranks every clock that a trigger may have set: see `believable`.
   * @default true
   */
  readonly triggersTrusted?: boolean | undefined;
}

/** 20 s (rule 8). */
export const DEFAULT_MARGIN = 20_000;

export type LookReason =
  | 'unvalued'
  | 'clock-disagrees'
  | 'same-clock-other-etag'
  | 'look-due'
  | 'before-horizon'
  | 'near-look'
  | 'near-container-gone'
  | 'directory-gone'
  | 'listed-differs'
  | 'not-listed'
  | 'stub-stray'
  | 'no-clock';

/**
 * `other-authority`: a look or a listing of a name that VAST rules; it is no change, so no violation either.
 * `distrusted`: a trigger whose sequencer means nothing; the feed brings the same change.
 * `canary`: an echo of what Isthmus itself wrote to see whether triggers come.
 */
export type IgnoreReason =
  | 'superseded'
  | 'dead-epoch'
  | 'covered-by-look'
  | 'entry-moved'
  | 'nothing-new'
  | 'no-rule'
  | 'distrusted'
  | 'canary'
  | 'other-authority';

/** Why a change from the side without authority was refused: recorded as a violation, it changes nothing. */
export type RefuseReason = 'vast-has-authority';

/**
 * What a change means for its entry. `next.revision` is always the old revision plus one. `look` carries the
 * entry to write as well (it has `lookDue` and a moved revision), so that the wish and its fence commit together.
 */
export type Decision =
  | { readonly outcome: 'apply'; readonly next: Entry }
  | { readonly outcome: 'look'; readonly reason: LookReason; readonly next: Entry }
  | { readonly outcome: 'ignore'; readonly reason: IgnoreReason }
  | { readonly outcome: 'refuse'; readonly reason: RefuseReason };
