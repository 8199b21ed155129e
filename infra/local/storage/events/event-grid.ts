import { isSystemContainer } from '../../../../namespace/key.ts';
import { TOPIC } from '../account.ts';
import type { Api, BlobChange, JournalEntry } from '../change.ts';
import { sequencerOf, ticksOf } from '../sequencer-source.ts';
import type { EventGridEvent } from './event-grid-event.ts';

/** In the form of real ones; nothing reads it. */
export const BATCH_ID = '23f68872-a006-0065-0049-9240f2000000';

const PUBLISHED_TYPES: ReadonlySet<string> = new Set(['BlobCreated', 'BlobDeleted', 'BlobTierChanged']);

/** What a client of the account with a hierarchical namespace would have called. */
const API_OF_FILES: Readonly<Partial<Record<Api, string>>> = {
  PutBlob: 'FlushWithClose',
  PutBlockList: 'FlushWithClose',
  DeleteBlob: 'DeleteFile',
};

/**
 * What Event Grid would tell of a change, in the order in which it happened. Metadata, properties, snapshots and the
 * system containers are never told. The subject is raw; the url is the one that the client used, percent-encoded.
 *
 * @param hierarchical as of an account with a hierarchical namespace: a file is announced before it is written.
 */
export function eventsOf(entry: JournalEntry, origin: string, hierarchical: boolean): readonly EventGridEvent[] {
  if (entry.kind === 'announcement') return [entry.event];
  if (!PUBLISHED_TYPES.has(entry.type) || isSystemContainer(entry.container)) return [];
  const event: EventGridEvent = {
    topic: TOPIC,
    subject: `/blobServices/default/containers/${entry.container}/blobs/${entry.name}`,
    eventType: `Microsoft.Storage.${entry.type}`,
    id: entry.id,
    data: dataOf(entry, origin),
    dataVersion: '',
    metadataVersion: '1',
    eventTime: entry.time,
  };
  if (!hierarchical) return [event];
  const api = API_OF_FILES[entry.api];
  const data = { ...event.data, api: api ?? entry.api, blobUrl: event.data.url };
  const file = { ...event, data, dataVersion: '2' };
  return api === 'FlushWithClose' ? [announcementOf(file, entry), file] : [file];
}

/** `CreateFile` comes before the file's bytes, with an ETag that is not the written file's. */
function announcementOf(file: EventGridEvent, { sequencer, id }: BlobChange): EventGridEvent {
  const data = { ...file.data, api: 'CreateFile', contentLength: 0, contentOffset: 0, eTag: '0x0' };
  return { ...file, id: `${id}-created`, data: { ...data, sequencer: sequencerOf(ticksOf(sequencer) - 1n) } };
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
