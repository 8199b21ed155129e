import type { BlobGetPropertiesResponse } from '@azure/storage-blob';
import type { Attributes } from '../../namespace/entry.ts';
import { unquote } from '../../schema/events/blob-effect.ts';

/** What a HEAD said. It tells all values, so metadata that a blob has none of is an empty record. */
export function attributesOfHead(head: BlobGetPropertiesResponse): Attributes {
  return {
    etag: unquote(head.etag ?? ''),
    length: head.contentLength ?? 0,
    ...(head.blobType && { blobType: head.blobType }),
    ...(head.contentType && { contentType: head.contentType }),
    ...(head.contentMD5 && { md5: base64(head.contentMD5) }),
    ...(head.lastModified && { lastModified: head.lastModified.getTime() }),
    ...(head.accessTier && { tier: head.accessTier }),
    metadata: lowerKeys(head.metadata),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** Names of metadata ignore case; headers come in lower case, a listing's as they were written. */
function lowerKeys(metadata: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
}
