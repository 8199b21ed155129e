import type { BlobEvent } from '../../namespace/change.ts';
import { type Epoch, parseEpoch } from '../../namespace/epoch.ts';
import { isSystemContainer } from '../../namespace/key.ts';
import { parseSequencer } from '../../namespace/sequencer.ts';
import { attributesOf, blobEffect, type NoChange } from '../events/blob-effect.ts';
import { parseBlobSubject, unstorable } from '../events/blob-subject.ts';
import { parseEventTime } from './event-time.ts';
import { FeedCorruptError } from './feed-error.ts';

/** Where a record stands. Positions never move, so this names a record that has no id of its own. */
export interface RecordPosition {
  readonly path: string;
  /** Of the record's block. */
  readonly offset: number;
  /** Of the record in its block. */
  readonly index: number;
}

/** Why a record is no change of a blob. `no-blob`: it is about a container, or about nothing that has a name. */
export type RecordIgnoreReason = NoChange | 'system-container' | 'unstorable-name' | 'no-blob';

export interface ReadRecord {
  /** `BlobCreated`; whatever the chunk's own schema says. */
  readonly type: string;
  readonly change:
    | BlobEvent
    | { readonly ignored: RecordIgnoreReason; readonly subject: string; readonly eventId: string };
}

/**
 * Turns a record of any schema version into a change. Types and fields that are not known yet make a `touch`: the
 * blob is read to see.
 */
export function readRecord(value: unknown, position: RecordPosition, source: 'feed' | 'replay'): ReadRecord {
  const record = fields(value);
  const data = fields(record.data);
  const type = text(record.eventType);
  const subject = text(record.subject);
  const key = parseBlobSubject(subject);
  const api = text(data.api);
  const attributes = attributesOf({
    etag: text(data.etag),
    contentLength: typeof data.contentLength === 'number' ? data.contentLength : undefined,
    blobType: text(data.blobType),
    contentType: text(data.contentType),
    tier: text(data.blobTier),
  });
  const effect =
    key !== undefined && isSystemContainer(key.container)
      ? SYSTEM_CONTAINER
      : blobEffect({
          type,
          api,
          attributes,
          hierarchical: false,
          snapshot: text(data.snapshot) !== '',
          version: text(data.blobVersion) !== '',
        });
  const ignored: RecordIgnoreReason | undefined =
    typeof effect === 'object'
      ? effect.ignored
      : key === undefined
        ? 'no-blob'
        : unstorable(key) !== undefined
          ? 'unstorable-name'
          : undefined;
  const eventId = text(record.id) || `${position.path}@${position.offset}/${position.index}`;
  if (ignored !== undefined || key === undefined || typeof effect === 'object') {
    return { type, change: { ignored: ignored ?? 'no-blob', subject, eventId } };
  }
  const time = parseEventTime(text(record.eventTime));
  if (!Number.isFinite(time)) {
    throw new FeedCorruptError(position.path, position.offset, `record ${position.index} has no readable eventTime`);
  }
  const change: BlobEvent = {
    kind: 'event',
    source,
    container: key.container,
    name: key.name,
    effect,
    // The ETag of a delete is the delete's own.
    attributes: effect === 'delete' || (type === 'BlobDeleted' && effect === 'touch') ? undefined : attributes,
    sequencer: parseSequencer(text(data.sequencer)),
    epoch: epochOf(text(data.containerVersion)),
    time,
    eventId,
    api,
  };
  return { type, change };
}

const SYSTEM_CONTAINER = { ignored: 'system-container' } as const;

/** The epoch that was read last: neighbours in a feed share it. */
let printed = '';
let epoch: Epoch | undefined;

function epochOf(text: string): Epoch | undefined {
  if (text !== printed) {
    epoch = parseEpoch(text);
    printed = text;
  }
  return epoch;
}

/** What is used of a record, in whatever schema: every field may be absent or of another type. */
interface Loose {
  readonly id?: unknown;
  readonly eventType?: unknown;
  readonly eventTime?: unknown;
  readonly subject?: unknown;
  readonly data?: unknown;
  readonly api?: unknown;
  readonly etag?: unknown;
  readonly contentLength?: unknown;
  readonly contentType?: unknown;
  readonly blobType?: unknown;
  readonly blobTier?: unknown;
  readonly blobVersion?: unknown;
  readonly snapshot?: unknown;
  readonly sequencer?: unknown;
  readonly containerVersion?: unknown;
}

function fields(value: unknown): Loose {
  return typeof value === 'object' && value !== null ? value : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
