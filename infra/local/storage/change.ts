import type { BlobType } from '../../../namespace/entry.ts';
import type { Key } from '../../../namespace/key.ts';
import type { EventGridEvent } from './events/event-grid-event.ts';

/** Azure's words for what was called, as far as the front tells of it. */
export type Api =
  | 'PutBlob'
  | 'PutBlockList'
  | 'CopyBlob'
  | 'DeleteBlob'
  | 'SetBlobMetadata'
  | 'SetBlobProperties'
  | 'SnapshotBlob'
  | 'SetBlobTier';

/** The feed's event types. Event Grid has `BlobCreated`, `BlobDeleted` and `BlobTierChanged` of them. */
export type ChangeType =
  | 'BlobCreated'
  | 'BlobDeleted'
  | 'BlobPropertiesUpdated'
  | 'BlobSnapshotCreated'
  | 'BlobTierChanged';

export const TYPE_OF_API: Readonly<Record<Api, ChangeType>> = {
  PutBlob: 'BlobCreated',
  PutBlockList: 'BlobCreated',
  CopyBlob: 'BlobCreated',
  DeleteBlob: 'BlobDeleted',
  SetBlobMetadata: 'BlobPropertiesUpdated',
  SetBlobProperties: 'BlobPropertiesUpdated',
  SnapshotBlob: 'BlobSnapshotCreated',
  SetBlobTier: 'BlobTierChanged',
};

/** One change that Azurite applied. Trigger and feed record are both made from it, so that they agree. */
export interface BlobChange extends Key {
  readonly kind: 'blob';
  readonly type: ChangeType;
  readonly api: Api;
  /** The raw path of the request, for the event's `url`. */
  readonly path: string;
  /** The event's id in both sources: its first 30 characters are the request's. */
  readonly id: string;
  readonly requestId: string;
  readonly clientRequestId: string | undefined;
  /** Seven fractional digits, as Azure prints event times. */
  readonly time: string;
  /** Without quotes. */
  readonly etag: string;
  readonly contentType: string;
  readonly contentLength: number;
  readonly blobType: BlobType;
  /** The container's creation as a FILETIME in upper-case hex. */
  readonly containerVersion: string;
  /** 48 digits in mixed case, as Azure prints it. */
  readonly sequencer: string;
  /** The tier after the change, where the blob has one. */
  readonly tier?: string | undefined;
  readonly previousTier?: string | undefined;
  readonly snapshot?: string | undefined;
  readonly updated?: Readonly<Record<string, { readonly current: string; readonly previous: string }>> | undefined;
}

/** An event that is no change of a blob: it goes to the triggers and is no record of the feed. */
export interface Announcement {
  readonly kind: 'announcement';
  readonly time: string;
  readonly event: EventGridEvent;
}

export type JournalEntry = BlobChange | Announcement;
