import { hash } from 'node:crypto';
import { TOPIC } from '../../infra/local/storage/account.ts';
import type { EventGridEvent } from '../../infra/local/storage/events/event-grid-event.ts';

export const CONTAINER = 'lake';

/** The first half of the names is in the index before the first event. */
export const seeded = (keys: number): number => Math.floor(keys / 2);

export const FOLDER = 'landing/year=2026/month=11/day=21';

/** Neighbours in number lie scattered over the index. */
export const nameOf = (key: number): string =>
  `${FOLDER}/part-${hash('md5', String(key), 'hex').slice(0, 8)}-${key}.parquet`;

/** `nameOf(n)`, for Postgres. */
export const NAME_SQL = `'${FOLDER}/part-' || substr(md5(n::text), 1, 8) || '-' || n || '.parquet'`;

/**
 * The event of this number as Event Grid sends it: of ten, six creates of names that were never there, three
 * overwrites and one delete of names that were. Later ones are newer.
 */
export function eventOf(number: number, keys: number): EventGridEvent {
  const known = seeded(keys);
  const turn = number % 10;
  const key = turn < 6 ? known + ((Math.floor(number / 10) * 6 + turn) % (keys - known)) : scattered(number, known);
  const name = nameOf(key);
  const deletes = turn === 9;
  const order = (number + 1).toString(16);
  return {
    topic: TOPIC,
    subject: `/blobServices/default/containers/${CONTAINER}/blobs/${name}`,
    eventType: `Microsoft.Storage.${deletes ? 'BlobDeleted' : 'BlobCreated'}`,
    id: `831e1650-001e-001b-66ab-${order.padStart(12, '0')}`,
    data: {
      api: deletes ? 'DeleteBlob' : 'PutBlob',
      clientRequestId: `6d79dbfb-0e37-4fc4-981f-${order.padStart(12, '0')}`,
      requestId: `831e1650-001e-001b-66ab-${order.padStart(12, '0')}`,
      ...(deletes ? {} : { eTag: `0x8D4BCC2E4${order.toUpperCase().padStart(6, '0')}` }),
      contentType: 'application/octet-stream',
      ...(deletes ? {} : { contentLength: 1_000 + number }),
      blobType: 'BlockBlob',
      url: `https://devstoreaccount1.blob.core.windows.net/${CONTAINER}/${name}`,
      sequencer: `00000000000004420000000000${order.padStart(12, '0')}`,
      storageDiagnostics: { batchId: 'b68529f3-68cd-4744-baa4-3c0498ec19f0' },
    },
    dataVersion: '',
    metadataVersion: '1',
    eventTime: new Date().toISOString(),
  };
}

function scattered(number: number, below: number): number {
  return (Math.imul(number, 0x9e3779b1) >>> 0) % below;
}
