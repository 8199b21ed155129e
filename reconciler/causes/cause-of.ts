import type { Timestamp } from '../../namespace/entry.ts';
import type { Cause, Difference } from '../../schema/drift/cause.ts';
import type { SeenVersion } from '../../schema/drift/evidence.ts';

type Metadata = Readonly<Record<string, string>>;

/** What has become of the container that the entry's state was of: `recreated` where there is one of its name again. */
export type Incarnation = 'same' | 'gone' | 'recreated';

/** Everything that a cause is settled by. Absent parts were not there, or not known. */
export interface CauseEvidence {
  readonly difference: Exclude<Difference, 'sink'>;
  /** Whether the index can hold the name. */
  readonly storable: boolean;
  /** The version that the judge saw; absent for `not-listed`. */
  readonly judge?: (SeenVersion & { readonly metadata?: Metadata | undefined }) | undefined;
  /** The entry when it was compared; `live` false is a tombstone. */
  readonly index?:
    | (SeenVersion & { readonly live: boolean; readonly seen: Timestamp; readonly metadata?: Metadata | undefined })
    | undefined;
  /** The entry once its look was answered; absent before. `told`: an event told of its state, or of a later one, since it was compared. */
  readonly after?:
    | (SeenVersion & { readonly live: boolean; readonly seen: Timestamp; readonly told: boolean })
    | undefined;
  readonly incarnation: Incarnation;
  /** Newest trigger, and applied time of the feed, when it was compared. No `feed` where the account's feed is not read. */
  readonly heard: { readonly trigger?: Timestamp | undefined; readonly feed?: Timestamp | undefined };
  /** Since when the name has been under a Blob-authoritative rule, where nothing has judged it since. */
  readonly ruledSince?: Timestamp | undefined;
  /** The judge saw each name at some moment from `from` to `to`. */
  readonly from: Timestamp;
  readonly to: Timestamp;
  /** M of the clock rules, in milliseconds. */
  readonly margin: number;
}

/**
 * Why what the judge saw and what the index said differ: exactly one cause, the most special that can be shown.
 * Total. Before the look is answered the cause is provisional; with the answer in `after` it is final.
 */
export function causeOf(evidence: CauseEvidence): Cause {
  if (!evidence.storable) return 'unstorable-name';
  return ofContainer(evidence) ?? noDrift(evidence) ?? special(evidence) ?? missedBy(evidence);
}

/** A name comes again after its container's end only in a new one: then the judge lists it, or the look finds it. */
function ofContainer({ incarnation, difference, after }: CauseEvidence): Cause | undefined {
  if (incarnation === 'same') return undefined;
  const there = after === undefined ? difference !== 'not-listed' : after.live;
  return incarnation === 'recreated' || there ? 'container-recreated' : 'container-deleted';
}

/** Where nothing was to be mended: the look agrees with the index, or it happened too late for both. */
function noDrift(evidence: CauseEvidence): Cause | undefined {
  const { after, index, difference, from, margin } = evidence;
  if (after !== undefined && sameState(after, index)) {
    // What the index said stands. It said so before the judge began, or the judge was merely too early for it.
    const saidAt = Math.max(index?.seen ?? 0, index?.lastModified ?? 0);
    return index === undefined || saidAt > from - margin ? 'changed-since' : overtaken(evidence);
  }
  // Gone when it was looked at, and told of by an event: of the time after the judge began, or told late.
  if (difference === 'not-listed' && after !== undefined && !after.live) {
    return after.told && after.seen > from - margin ? 'changed-since' : undefined;
  }
  const at = happenedAt(evidence);
  if (at === undefined || (difference === 'not-listed' && after === undefined)) return undefined;
  if (after?.told === true && at > from - margin) return 'changed-since';
  return at > from && !passed(evidence, at) ? 'changed-since' : undefined;
}

/** A tombstone that the look agrees with may be of a version before the one that the judge saw, which is gone since. */
function overtaken({ judge, index, from }: CauseEvidence): Cause {
  const version = judge?.lastModified;
  if (index?.live === false && version !== undefined && version > index.seen && version <= from) return 'changed-since';
  return 'judge-error';
}

function sameState(after: NonNullable<CauseEvidence['after']>, index: CauseEvidence['index']): boolean {
  if (!after.live) return index?.live !== true;
  return (
    index?.live === true &&
    after.etag === index.etag &&
    same(after.length, index.length) &&
    same(after.tier, index.tier)
  );
}

/** Whether two tell the same, as far as both tell it. */
function same<T>(one: T | undefined, other: T | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}

/** A Last-Modified is of whole seconds: what it tells of happened at the latest at the end of that second. */
const WITHIN_A_SECOND = 999;

/** By when what the index lacks had happened, where that is known: the version that it lacks was last modified then. */
function happenedAt(evidence: CauseEvidence): Timestamp | undefined {
  const at = lastModifiedOf(evidence);
  return at === undefined ? undefined : at + WITHIN_A_SECOND;
}

function lastModifiedOf({ judge, after }: CauseEvidence): Timestamp | undefined {
  return judge?.lastModified ?? (after?.live === true ? after.lastModified : undefined);
}

/** Whether a source that would have told of it by now was heard of a later moment. */
function passed({ heard, margin }: CauseEvidence, at: Timestamp): boolean {
  return (heard.feed ?? 0) > at || (heard.trigger ?? 0) > at + margin;
}

/** Changes that the sources tell of badly, or not at all. */
function special(evidence: CauseEvidence): Cause | undefined {
  const { difference, judge, index, ruledSince } = evidence;
  if (difference === 'not-listed') return undefined;
  if (judge !== undefined && index?.live === true) {
    const type = judge.blobType ?? index.blobType;
    const written = !same(judge.etag, index.etag) || !same(judge.length, index.length);
    // Azure says of neither how long it became: appends and page writes carry no length, or an earlier one.
    if ((type === 'AppendBlob' || type === 'PageBlob') && written && (judge.length ?? 0) >= (index.length ?? 0)) {
      return 'blob-grew';
    }
    if (difference === 'other-attributes') {
      if (!same(judge.tier, index.tier)) return 'tier-moved';
      return isNews(judge.metadata, index.metadata) ? 'metadata-unknown' : 'unexplained';
    }
  }
  const at = lastModifiedOf(evidence);
  const before = ruledSince !== undefined && at !== undefined && at < ruledSince;
  return before && (index?.live !== true || index.seen < ruledSince) ? 'rule-changed' : undefined;
}

/** Whether the judge shows metadata that the index does not have like this. Having none is not told by events either. */
export function isNews(judge: Metadata | undefined, index: Metadata | undefined): boolean {
  if (judge === undefined) return false;
  const names = Object.keys(judge);
  if (index === undefined) return names.length > 0;
  return names.length !== Object.keys(index).length || names.some((name) => judge[name] !== index[name]);
}

/** Nothing else explains it: the sources should have told. Of a delete it is known only that the judge came too late for the blob. */
function missedBy(evidence: CauseEvidence): Cause {
  const { difference, after, heard, from, to } = evidence;
  // An event told of it after all, so that the feed cannot have passed it in silence.
  if (difference === 'not-listed' && after?.live === false && after.told) return 'missed-by-triggers';
  const at = happenedAt(evidence) ?? (difference === 'not-listed' ? from : to);
  return heard.feed !== undefined && heard.feed > at ? 'missed-by-both' : 'missed-by-triggers';
}
