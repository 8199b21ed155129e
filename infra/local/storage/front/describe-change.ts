import type { IncomingHttpHeaders } from 'node:http';
import type { BlobChange } from '../change.ts';
import { TYPE_OF_API } from '../change.ts';
import { etagOf, type Stamp, sequencerOf } from '../sequencer-source.ts';
import type { BlobOperation } from './operation.ts';
import { type BlobFacts, blobTypeOf, first, unquote } from './upstream.ts';

/** What the front saw of a change: the request, the answer, and the blob before or after it. */
export interface Observation {
  readonly operation: BlobOperation;
  readonly request: IncomingHttpHeaders;
  /** Bytes of body that the client sent. */
  readonly bodyBytes: number;
  readonly answer: IncomingHttpHeaders;
  /** A HEAD before the change (delete, tier, metadata, properties, snapshot) or after it (block list, copies). */
  readonly facts: BlobFacts | undefined;
  readonly containerVersion: string;
  readonly stamp: Stamp;
}

/** Turns what was seen into the change that both sources tell of. */
export function describeChange(seen: Observation): BlobChange {
  const { operation, request, answer, stamp } = seen;
  const requestId = first(answer['x-ms-request-id']) ?? '00000000-0000-0000-0000-000000000000';
  return {
    kind: 'blob',
    type: TYPE_OF_API[operation.api],
    api: operation.api,
    container: operation.key.container,
    name: operation.key.name,
    path: operation.path,
    id: `${requestId.slice(0, 30)}06${(stamp.ticks & 0xffffn).toString(16).padStart(4, '0')}`,
    requestId,
    clientRequestId: first(request['x-ms-client-request-id']),
    time: stamp.time,
    containerVersion: seen.containerVersion,
    sequencer: sequencerOf(stamp.ticks),
    ...valuesOf(seen),
  };
}

type Values = Pick<
  BlobChange,
  'etag' | 'contentType' | 'contentLength' | 'blobType' | 'tier' | 'previousTier' | 'snapshot' | 'updated'
>;

function valuesOf(seen: Observation): Values {
  const { operation, request, answer, facts } = seen;
  const answered = unquote(answer.etag);
  if (operation.api === 'PutBlob' && !operation.fromUrl) return { ...uploaded(seen), etag: answered };
  const before: Values = {
    etag: answered || (facts?.etag ?? ''),
    contentType: facts?.contentType ?? 'application/octet-stream',
    contentLength: facts?.contentLength ?? 0,
    blobType: facts?.blobType ?? 'BlockBlob',
    tier: facts?.tier,
  };
  switch (operation.api) {
    case 'DeleteBlob':
      return { ...before, etag: etagOf(seen.stamp.ticks) };
    case 'SetBlobTier':
      return { ...before, tier: first(request['x-ms-access-tier']), previousTier: facts?.tier };
    case 'SnapshotBlob':
      return { ...before, snapshot: first(answer['x-ms-snapshot']) };
    case 'SetBlobProperties':
      return { ...before, ...propertiesSet(request, facts) };
    default:
      return before;
  }
}

/** A Put Blob tells everything itself, so nothing is asked. */
function uploaded({ request, bodyBytes }: Observation): Omit<Values, 'etag'> {
  const blobType = blobTypeOf(request['x-ms-blob-type']);
  const contentType =
    first(request['x-ms-blob-content-type']) || first(request['content-type']) || 'application/octet-stream';
  const pages = Number(request['x-ms-blob-content-length'] ?? 0);
  return {
    contentType,
    contentLength: blobType === 'PageBlob' ? pages : bodyBytes,
    blobType,
    tier: first(request['x-ms-access-tier']) ?? (blobType === 'BlockBlob' ? 'Hot' : undefined),
  };
}

/** The feed's word for each property, its request header and its header in a HEAD. */
const PROPERTIES = [
  ['ContentType', 'x-ms-blob-content-type', 'content-type'],
  ['ContentMD5', 'x-ms-blob-content-md5', 'content-md5'],
  ['ContentEncoding', 'x-ms-blob-content-encoding', 'content-encoding'],
  ['ContentLanguage', 'x-ms-blob-content-language', 'content-language'],
  ['ContentDisposition', 'x-ms-blob-content-disposition', 'content-disposition'],
  ['CacheControl', 'x-ms-blob-cache-control', 'cache-control'],
] as const;

function propertiesSet(
  request: IncomingHttpHeaders,
  facts: BlobFacts | undefined,
): Partial<Pick<Values, 'contentType' | 'contentLength' | 'updated'>> {
  const updated: Record<string, { current: string; previous: string }> = {};
  for (const [name, requested, kept] of PROPERTIES) {
    const current = first(request[requested]) ?? '';
    const previous = first(facts?.headers[kept]) ?? '';
    if (current !== previous) updated[name] = { current, previous };
  }
  const length = first(request['x-ms-blob-content-length']);
  return {
    contentType: first(request['x-ms-blob-content-type']) ?? 'application/octet-stream',
    ...(length === undefined ? {} : { contentLength: Number(length) }),
    updated,
  };
}
