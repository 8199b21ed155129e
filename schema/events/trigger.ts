import { z } from 'zod';
import type { BlobEvent } from '../../namespace/change.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import { isSystemContainer, type Key } from '../../namespace/key.ts';
import { parseSequencer } from '../../namespace/sequencer.ts';
import { attributesOf, blobEffect, type NoChange } from './blob-effect.ts';
import { parseBlobSubject, unstorable } from './blob-subject.ts';
import { keyOfBlobUrl } from './blob-url.ts';
import { check, type Envelope } from './envelope.ts';
import { type InventoryCompleted, readInventoryCompleted } from './inventory-completed.ts';
import { readSubtree, type SubtreeChange } from './subtree.ts';
import { topicAccount } from './topic-account.ts';
import { UndecodableError } from './undecodable.ts';

/** One event, read. `ignored` ones are no change of a blob; they are counted by their reason. */
export type DecodedTrigger =
  | { readonly kind: 'event'; readonly account: string; readonly event: BlobEvent }
  | { readonly kind: 'subtree'; readonly account: string; readonly subtree: SubtreeChange }
  | InventoryCompleted
  | {
      readonly kind: 'ignored';
      readonly account: string;
      readonly reason: TriggerIgnoreReason;
      readonly eventId: string;
      readonly subject: string;
      readonly type: string;
    };

/** `unknown-type`: a type that is not known yet, and whose subject names no blob that could be looked at. */
export type TriggerIgnoreReason = NoChange | 'system-container' | 'directory' | 'not-a-blob' | 'unknown-type';

const NAMESPACE = 'Microsoft.Storage.';

/** Types that name a blob in their subject. */
const BLOB_TYPES: ReadonlySet<string> = new Set([
  'BlobCreated',
  'BlobDeleted',
  'BlobTierChanged',
  'AsyncOperationInitiated',
  'BlobRenamed',
]);
/** Summaries of runs; the changes themselves come on their own. */
const OTHER_TYPES: ReadonlySet<string> = new Set([
  'LifecyclePolicyCompleted',
  'StorageTaskQueued',
  'StorageTaskCompleted',
  'StorageTaskAssignmentQueued',
  'StorageTaskAssignmentCompleted',
]);

const optional = z.string().nullish();
const blobData = z.object({
  api: z.string(),
  eTag: optional,
  contentLength: z.number().nullish(),
  contentType: optional,
  blobType: optional,
  accessTier: optional,
  sequencer: optional,
  url: optional,
  blobUrl: optional,
  sourceUrl: optional,
  sourceBlobUrl: optional,
});

/** What an event means. A rename is two changes: of the name that it made, and of the name that it took away. */
export function readTrigger(envelope: Envelope): readonly DecodedTrigger[] {
  const type = typeOf(envelope);
  if (type === 'BlobInventoryPolicyCompleted') return [readInventoryCompleted(envelope)];
  const account = accountOf(envelope);
  // No blob, and what is written below it is told of by itself.
  if (type === 'DirectoryCreated') return [ignored(envelope, account, 'directory')];
  if (type === 'DirectoryDeleted' || type === 'DirectoryRenamed') {
    const subtree = readSubtree(envelope, type, { account, time: timeOf(envelope) });
    return [subtree ? { kind: 'subtree', account, subtree } : ignored(envelope, account, 'system-container')];
  }
  if (OTHER_TYPES.has(type)) return [ignored(envelope, account, 'not-a-blob')];
  if (!BLOB_TYPES.has(type)) return [readUnknown(envelope, type, account)];
  return readBlobEvent(envelope, type, account);
}

function readBlobEvent(envelope: Envelope, type: string, account: string): readonly DecodedTrigger[] {
  const key = parseBlobSubject(envelope.subject);
  if (key === undefined) {
    throw new UndecodableError(
      'bad-event',
      `subject: expected .../containers/C/blobs/NAME, found '${envelope.subject}'`,
    );
  }
  if (isSystemContainer(key.container)) return [ignored(envelope, account, 'system-container')];
  const data = check(blobData, envelope.data, 'bad-event', 'data');
  const attributes = attributesOf({ ...data, etag: data.eTag, tier: data.accessTier });
  const effect = blobEffect({
    type,
    api: data.api,
    attributes,
    hierarchical: data.blobUrl != null || /^https?:\/\/[^/]+\.dfs\./.test(data.url ?? ''),
    snapshot: false,
    version: false,
  });
  if (typeof effect === 'object') return [ignored(envelope, account, effect.ignored)];
  const event: BlobEvent = {
    kind: 'event',
    source: 'trigger',
    ...storable(key),
    effect,
    attributes: effect === 'delete' ? undefined : attributes,
    sequencer: parseSequencer(data.sequencer ?? ''),
    epoch: undefined,
    time: timeOf(envelope),
    eventId: envelope.id,
    api: data.api,
  };
  const from = type === 'BlobRenamed' ? keyOfBlobUrl(data.sourceBlobUrl ?? data.sourceUrl ?? '', account) : undefined;
  const events = from === undefined ? [event] : [event, takenAway(event, from)];
  return events.map((each) => ({ kind: 'event', account, event: each }));
}

/** A type that is not known yet: whatever happened to the blob, looking at it tells how it is now. */
function readUnknown(envelope: Envelope, type: string, account: string): DecodedTrigger {
  const key = parseBlobSubject(envelope.subject);
  if (key === undefined) return ignored(envelope, account, 'unknown-type');
  if (isSystemContainer(key.container)) return ignored(envelope, account, 'system-container');
  const { api } = envelope.data;
  const event: BlobEvent = {
    kind: 'event',
    source: 'trigger',
    ...storable(key),
    effect: 'touch',
    attributes: undefined,
    // What it orders is not known either.
    sequencer: undefined,
    epoch: undefined,
    time: timeOf(envelope),
    eventId: envelope.id,
    api: typeof api === 'string' ? api : type,
  };
  return { kind: 'event', account, event };
}

/** The old name of a renamed blob. The event's sequencer belongs to the new name: without one, it is looked at. */
function takenAway(event: BlobEvent, from: Key): BlobEvent {
  return { ...event, ...storable(from), effect: 'touch', attributes: undefined, sequencer: undefined };
}

function storable(key: Key): Key {
  const why = unstorable(key);
  if (why !== undefined) throw new UndecodableError('unstorable-name', `subject: ${why}: ${JSON.stringify(key.name)}`);
  return key;
}

function typeOf(envelope: Envelope): string {
  if (!envelope.type.startsWith(NAMESPACE)) throw unknownType(envelope);
  return envelope.type.slice(NAMESPACE.length);
}

function unknownType(envelope: Envelope): UndecodableError {
  return new UndecodableError(
    'unknown-type',
    `type: '${envelope.type}' is no event of a storage account that is known`,
  );
}

/** The storage account that speaks. */
function accountOf(envelope: Envelope): string {
  const account = topicAccount(envelope.source);
  if (account !== undefined) return account;
  throw new UndecodableError(
    'bad-event',
    `topic or source: expected .../storageAccounts/NAME, found '${envelope.source}'`,
  );
}

/** The event's time, in milliseconds; Azure prints seven digits of a second. */
export function timeOf(envelope: Envelope): Timestamp {
  const time = Date.parse(envelope.time);
  if (Number.isFinite(time)) return time;
  throw new UndecodableError('bad-event', `eventTime or time: expected an ISO 8601 time, found '${envelope.time}'`);
}

function ignored(envelope: Envelope, account: string, reason: TriggerIgnoreReason): DecodedTrigger {
  return { kind: 'ignored', account, reason, eventId: envelope.id, subject: envelope.subject, type: envelope.type };
}
