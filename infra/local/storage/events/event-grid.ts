import { isSystemContainer } from '../../../../namespace/key.ts';
import { TOPIC } from '../account.ts';
import type { BlobChange, JournalEntry } from '../change.ts';
import type { EventGridEvent } from './event-grid-event.ts';

/** In the form of real ones; nothing reads it. */
export const BATCH_ID = '23f68872-a006-0065-0049-9240f2000000';

const PUBLISHED_TYPES: ReadonlySet<string> = new Set(['BlobCreated', 'BlobDeleted', 'BlobTierChanged']);

/**
 * What Event Grid would tell of a change. Metadata, properties, snapshots and the system containers are never
 * told. The subject is raw; the url is the one that the client used, percent-encoded.
 *
 * @returns undefined where Event Grid keeps silent.
 */
export function eventOf(entry: JournalEntry, origin: string): EventGridEvent | undefined {
  if (entry.kind === 'announcement') return entry.event;
  if (!PUBLISHED_TYPES.has(entry.type) || isSystemContainer(entry.container)) return undefined;
  return {
    topic: TOPIC,
    subject: `/blobServices/default/containers/${entry.container}/blobs/${entry.name}`,
    eventType: `Microsoft.Storage.${entry.type}`,
    id: entry.id,
    data: dataOf(entry, origin),
    dataVersion: '',
    metadataVersion: '1',
    eventTime: entry.time,
  };
}

function dataOf(change: BlobChange, origin: string): Record<string, unknown> {
  return {
    api: change.api,
    ...(change.clientRequestId === undefined ? {} : { clientRequestId: change.clientRequestId }),
    requestId: change.requestId,
    eTag: change.etag,
    contentType: change.contentType,
    contentLength: change.contentLength,
    blobType: change.blobType,
    ...(change.tier === undefined || change.type === 'BlobDeleted' ? {} : { accessTier: change.tier }),
    ...(change.previousTier === undefined ? {} : { previousTier: change.previousTier }),
    url: `${origin}${change.path}`,
    sequencer: change.sequencer,
    storageDiagnostics: { batchId: BATCH_ID },
  };
}
