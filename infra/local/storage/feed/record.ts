import { FEED_CONTAINER, TOPIC } from '../account.ts';
import type { BlobChange, JournalEntry } from '../change.ts';
import { BATCH_ID } from '../events/event-grid.ts';
import { sequencerDiagnostics } from '../sequencer-source.ts';
import { FEED_SCHEMA_VERSION } from './schema-v4.ts';

const NO_CLIENT_REQUEST = '00000000-0000-0000-0000-000000000000';
const STREAM_ID = '1b88d760-eee3-04df-8925-8483e942e6d6';

/** Tiers that schema 4 can name; a later one (`Cold`) is unspecified in it. */
const NAMED_TIERS: ReadonlySet<string> = new Set(['Hot', 'Cool', 'Archive']);

type Texts = Readonly<Record<string, string>>;

/** A record of the feed, in the shape that its schema encodes. */
export type FeedRecord = ReturnType<typeof recordOf>;

/** Whether the feed holds a record of this entry. It holds `$logs`, and no announcements. */
export function isRecorded(entry: JournalEntry): entry is BlobChange {
  return entry.kind === 'blob' && entry.container !== FEED_CONTAINER;
}

/**
 * The feed's record of a change. `url` is empty in every real one, the subject is raw, a created blob names no
 * tier, and a metadata change names no values.
 */
export function recordOf(change: BlobChange) {
  const tierChanged = change.type === 'BlobTierChanged';
  const previousInfo: Texts | null =
    tierChanged && change.previousTier !== undefined ? { PreviousTier: change.previousTier } : null;
  return {
    schemaVersion: FEED_SCHEMA_VERSION,
    topic: TOPIC,
    subject: `/blobServices/default/containers/${change.container}/blobs/${change.name}`,
    eventType: change.type,
    eventTime: change.time,
    id: change.id,
    data: {
      api: change.api,
      clientRequestId: change.clientRequestId ?? NO_CLIENT_REQUEST,
      requestId: change.requestId,
      etag: change.etag,
      contentType: change.contentType,
      contentLength: change.contentLength,
      blobType: change.blobType,
      blobVersion: null,
      containerVersion: change.containerVersion,
      blobTier: tierChanged ? tierSymbol(change.tier) : null,
      url: '',
      sequencer: change.sequencer,
      previousInfo,
      snapshot: change.snapshot ?? null,
      blobPropertiesUpdated: change.updated ?? null,
      asyncOperationInfo: null,
      storageDiagnostics: { bid: BATCH_ID, sid: STREAM_ID, seq: sequencerDiagnostics(change.sequencer) },
    },
  };
}

function tierSymbol(tier: string | undefined): string {
  return tier !== undefined && NAMED_TIERS.has(tier) ? tier : 'UnspecifiedBlobTier';
}
