import type { BlobServiceClient } from '@azure/storage-blob';
import avsc from 'avsc';

/** A record as the feed's own schema decodes it. */
export interface DecodedRecord {
  readonly schemaVersion: number;
  readonly topic: string;
  readonly subject: string;
  readonly eventType: string;
  readonly eventTime: string;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>> & { readonly sequencer: string; readonly etag: string };
}

/** All records of a feed that was written whole, by avsc's own container reader: nothing of ours decodes here. */
export async function readFeed(account: BlobServiceClient): Promise<readonly DecodedRecord[]> {
  const feed = account.getContainerClient('$blobchangefeed');
  const records: DecodedRecord[] = [];
  for await (const { name } of feed.listBlobsFlat({ prefix: 'log/' })) {
    records.push(...(await decodeChunk(await feed.getBlobClient(name).downloadToBuffer())));
  }
  return records;
}

export function decodeChunk(bytes: Buffer): Promise<readonly DecodedRecord[]> {
  return new Promise((resolve, reject) => {
    const records: DecodedRecord[] = [];
    const decoder = new avsc.streams.BlockDecoder({
      parseHook: (schema) => avsc.Type.forSchema(schema, { wrapUnions: false }),
    });
    decoder.on('data', (record: DecodedRecord) => records.push(plain(record)));
    decoder.on('end', () => resolve(records));
    decoder.on('error', reject);
    decoder.end(bytes);
  });
}

/** avsc's records are instances of generated classes. */
function plain(record: DecodedRecord): DecodedRecord {
  return JSON.parse(JSON.stringify(record)) as DecodedRecord;
}
