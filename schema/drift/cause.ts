/** What a cause is about: the account against the index, or the index against a sink. */
export type Judged = 'account' | 'sink';

interface CauseFacts {
  readonly of: Judged;
  /** Whether it is drift: something that a source should have told, or a sink should have shown. */
  readonly drift: boolean;
  /** What it says, for people. */
  readonly meaning: string;
}

/**
 * Why what a judge saw and what the index says differ. The list is closed: every finding has exactly one of these,
 * `unexplained` where none of the others can be shown.
 */
export const CAUSES = {
  'missed-by-both': {
    of: 'account',
    drift: true,
    meaning: 'No trigger told it, and the Change Feed was read beyond the time when it happened.',
  },
  'missed-by-triggers': {
    of: 'account',
    drift: true,
    meaning: 'No trigger told it, and the Change Feed is not read, or not as far as the time when it happened.',
  },
  'container-deleted': {
    of: 'account',
    drift: true,
    meaning: 'Its container is gone. The Change Feed does not tell of containers that are deleted.',
  },
  'container-recreated': {
    of: 'account',
    drift: true,
    meaning: 'Its container was deleted and made anew: the entry was of the container before.',
  },
  'blob-grew': {
    of: 'account',
    drift: true,
    meaning: 'An append or page blob was written to: its events carry no length, or none came.',
  },
  'metadata-unknown': {
    of: 'account',
    drift: true,
    meaning: 'The metadata of this very version was not known: events name no values.',
  },
  'tier-moved': {
    of: 'account',
    drift: true,
    meaning: 'The access tier changed and nothing else, as lifecycle management does it.',
  },
  'rule-changed': {
    of: 'account',
    drift: true,
    meaning: 'The name came under a Blob-authoritative rule after it was last told of.',
  },
  'unstorable-name': {
    of: 'account',
    drift: true,
    meaning: 'The index cannot hold this name (a NUL, or half of a surrogate pair).',
  },
  'changed-since': {
    of: 'account',
    drift: false,
    meaning: 'It changed after the judge began: the judge and the index were both right.',
  },
  'judge-error': {
    of: 'account',
    drift: false,
    meaning: 'A look found the blob as the index has it: what the judge said was wrong.',
  },
  'stub-missing': { of: 'sink', drift: true, meaning: 'A live entry has no file where its stub must stand.' },
  'stub-wrong': {
    of: 'sink',
    drift: true,
    meaning: 'The file is of another version or length than the entry, or its mark was changed.',
  },
  'stub-stray': {
    of: 'sink',
    drift: true,
    meaning: 'A file that Isthmus made stands for a name that is not live, or that another sink shows.',
  },
  'foreign-file': {
    of: 'sink',
    drift: true,
    meaning: 'A file that Isthmus did not make stands where only Isthmus may write. It is left alone.',
  },
  'orphaned-temporary': {
    of: 'sink',
    drift: true,
    meaning: 'A temporary file that a process which died left half made.',
  },
  'unrepresentable-name': {
    of: 'sink',
    drift: false,
    meaning: 'The name cannot be a path in this sink, or a directory stands there: it is listed, never dropped.',
  },
  unexplained: { of: 'account', drift: true, meaning: 'The evidence shows none of the other causes.' },
} as const satisfies Readonly<Record<string, CauseFacts>>;

export type Cause = keyof typeof CAUSES;

export const CAUSE_NAMES = Object.keys(CAUSES) as readonly Cause[];

/** What differed, as the judge found it; the cause says why. */
export const DIFFERENCES = [
  /** Live in the index, in the judge's scope, and not listed. */
  'not-listed',
  /** Listed, and not live in the index. */
  'not-indexed',
  /** Listed as another version than the entry's. */
  'other-version',
  /** The same version, with attributes that the entry does not have like this. */
  'other-attributes',
  /** Index against sink. */
  'sink',
] as const;
export type Difference = (typeof DIFFERENCES)[number];

/**
 * What became of a finding. `looking`: a look was asked for and decides. `repaired`: the index (or the sink) is now as
 * the source is. `held`: it waits for the approval of its run. `refused`: the approval was refused, or never given.
 * `open`: nothing that Isthmus does mends it. `explained`: there was nothing to mend. `undone`: it was repaired, and
 * then taken back.
 */
export const FINDING_STATES = ['looking', 'repaired', 'held', 'refused', 'open', 'explained', 'undone'] as const;
export type FindingState = (typeof FINDING_STATES)[number];
