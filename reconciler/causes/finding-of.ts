import type { ContainerState } from '../../namespace/container.ts';
import type { Attributes, Entry, Timestamp } from '../../namespace/entry.ts';
import type { Key } from '../../namespace/key.ts';
import { CAUSES, type Difference, type FindingState } from '../../schema/drift/cause.ts';
import type { Evidence, SeenVersion } from '../../schema/drift/evidence.ts';
import type { NewFinding } from '../../schema/index/findings.ts';
import { isStorableKey } from '../../schema/index/storable.ts';
import type { Judging } from '../judging.ts';
import type { RunLedger } from '../run/ledger.ts';
import { type CauseEvidence, causeOf, type Incarnation } from './cause-of.ts';
import type { Heard } from './heard.ts';
import { incarnationOf } from './incarnation.ts';
import { type RuledSince, readRuledSince } from './ruled-since.ts';

/** What every finding of a run is judged by. */
export interface FindingScope {
  readonly from: Timestamp;
  readonly to: Timestamp;
  readonly margin: number;
  readonly heard: Heard;
  readonly ruledSince: RuledSince;
}

export async function findingScope({ index, account }: Judging, ledger: RunLedger): Promise<FindingScope> {
  const { from, to, heard } = ledger.state;
  const ruledSince = await readRuledSince(index.db, ledger.run);
  return { from: from ?? 0, to: to ?? from ?? 0, margin: account.margin, heard, ruledSince };
}

/** One version, as far as it was told. */
export type PartialVersion = { readonly [Name in keyof Attributes]?: Attributes[Name] | undefined };

/** The entry as it was compared. */
export type IndexedVersion = PartialVersion & Pick<Entry, 'live' | 'seen'> & { readonly source: string };

export function indexedVersion(entry: Entry): IndexedVersion {
  const { live, seen, provenance } = entry;
  return { ...entry.attributes, live, seen, source: provenance.source };
}

export interface Found {
  readonly key: Key;
  readonly difference: Exclude<Difference, 'sink'>;
  readonly judge?: PartialVersion | undefined;
  readonly index?: IndexedVersion | undefined;
  /** Where the judge's own answer is as good as a look. */
  readonly after?: CauseEvidence['after'];
  readonly state: FindingState;
  readonly note?: string | undefined;
  readonly container: ContainerState;
  /** Where more is known of it than the index has noted. */
  readonly incarnation?: Incarnation | undefined;
}

/** A difference with its cause, as far as it can be told when it is found, and what it is told by. */
export function findingOf(scope: FindingScope, found: Found): NewFinding {
  const { key, difference, judge, index, after, state, note, container } = found;
  const { from, to, margin, heard, ruledSince } = scope;
  const incarnation = found.incarnation ?? incarnationOf(index, container, margin);
  const cause = causeOf({
    ...{ difference, judge, index, after, heard, from, to, margin, incarnation },
    storable: isStorableKey(key),
    ruledSince: ruledSince(key),
  });
  const evidence: Evidence = {
    ...(judge && { judge: seenVersion(judge) }),
    ...(index && { index: { ...seenVersion(index), live: index.live, seen: index.seen, source: index.source } }),
    heard,
    ...(note !== undefined && { note }),
  };
  // What was mended at once, and was no drift, explains itself.
  const became = state === 'repaired' && !CAUSES[cause].drift ? 'explained' : state;
  return { container: key.container, name: key.name, difference, cause, state: became, evidence };
}

export function seenVersion({ etag, length, lastModified, blobType, tier }: PartialVersion): SeenVersion {
  return { etag, length, lastModified, blobType, tier };
}
