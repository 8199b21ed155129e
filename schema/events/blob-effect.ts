import type { Attributes, BlobType } from '../../namespace/entry.ts';

/** The words that a trigger and a feed record share for what happened to a blob. */
export interface BlobHappening {
  /** Without its namespace: `BlobCreated`. */
  readonly type: string;
  readonly api: string;
  readonly attributes: Attributes | undefined;
  /** The account has a hierarchical namespace: a copy is then announced before it is done. */
  readonly hierarchical: boolean;
  /** The record is about this snapshot of the blob. */
  readonly snapshot: boolean;
  /** The record names a version; where a blob's own delete does so, only that version went. */
  readonly version: boolean;
}

/** Why an event is no change of a blob. */
export type NoChange = 'snapshot' | 'control' | 'not-yet-written' | 'restore-point' | 'access-time';

/** These write the whole blob, and the event carries what it then is. */
const COMMITS: ReadonlySet<string> = new Set(['PutBlob', 'PutBlockList', 'CopyBlob', 'FlushWithClose', 'SftpCommit']);
/** These announce a blob whose bytes come with a later commit. */
const ANNOUNCEMENTS: ReadonlySet<string> = new Set(['CreateFile', 'SftpCreate']);

/**
 * What an event means for its blob. Only a block blob's commit names every value that the stub needs; an append or
 * page blob's length is stale, a metadata change names no metadata, an undelete may concern snapshots alone, and
 * what is not known yet must be looked at.
 *
 * A tier change leaves the ETag and names the new tier (observed in both sources), so it needs no look.
 */
export function blobEffect(happening: BlobHappening): 'put' | 'delete' | 'touch' | { readonly ignored: NoChange } {
  const { type, api, attributes } = happening;
  if (type === 'Control' || api === 'ControlEvent') return { ignored: 'control' };
  if (type === 'RestorePointMarkerCreated') return { ignored: 'restore-point' };
  if (type === 'BlobLastAccessTimeUpdated') return { ignored: 'access-time' };
  if (type === 'BlobSnapshotCreated' || happening.snapshot) return { ignored: 'snapshot' };
  if (type === 'BlobDeleted') return happening.version ? 'touch' : 'delete';
  if (ANNOUNCEMENTS.has(api)) return { ignored: 'not-yet-written' };
  if (attributes?.blobType !== 'BlockBlob') return 'touch';
  if (type === 'BlobTierChanged') return attributes.tier === undefined ? 'touch' : 'put';
  if (type !== 'BlobCreated' || !COMMITS.has(api)) return 'touch';
  return api === 'CopyBlob' && happening.hierarchical ? 'touch' : 'put';
}

/** Values as a source printed them: all may be absent, an ETag may have quotes. */
export interface PrintedValues {
  readonly etag?: string | null | undefined;
  readonly contentLength?: number | null | undefined;
  readonly blobType?: string | null | undefined;
  readonly contentType?: string | null | undefined;
  readonly tier?: string | null | undefined;
}

/** @returns undefined unless both ETag and length are there: without them an entry says nothing. */
export function attributesOf(printed: PrintedValues): Attributes | undefined {
  const { contentLength } = printed;
  const etag = unquote(printed.etag ?? '');
  if (etag === '' || typeof contentLength !== 'number' || !Number.isSafeInteger(contentLength) || contentLength < 0) {
    return undefined;
  }
  // Assigned one by one: spreading what may be absent costs several times as much, for every event that is read.
  const attributes: { -readonly [name in keyof Attributes]: Attributes[name] } = { etag, length: contentLength };
  if (isBlobType(printed.blobType)) attributes.blobType = printed.blobType;
  if (printed.contentType) attributes.contentType = printed.contentType;
  if (printed.tier && printed.tier !== 'Unspecified') attributes.tier = printed.tier;
  return attributes;
}

/** Takes the quotes off an ETag, of the weak form too. */
export function unquote(etag: string): string {
  return etag.endsWith('"') ? etag.replace(/^(?:W\/)?"(.*)"$/, '$1') : etag;
}

function isBlobType(text: string | null | undefined): text is BlobType {
  return text === 'BlockBlob' || text === 'AppendBlob' || text === 'PageBlob';
}
