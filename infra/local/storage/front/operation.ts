import type { IncomingHttpHeaders } from 'node:http';
import type { Key } from '../../../../namespace/key.ts';
import type { Api } from '../change.ts';
import type { Address } from './address.ts';

/** What a request would do, as far as the front must care. */
export type Operation =
  | { readonly kind: 'pass' }
  | { readonly kind: 'list-containers' }
  | { readonly kind: 'create-container' | 'delete-container'; readonly container: string }
  | { readonly kind: 'batch' }
  | BlobOperation;

/** A request that changes a blob in a way that the feed records. */
export interface BlobOperation {
  readonly kind: 'change';
  readonly api: Api;
  readonly key: Key;
  /** The raw path, for requests of our own about the same blob. */
  readonly path: string;
  /** Whether the bytes come from another blob, so that the request does not tell their length. */
  readonly fromUrl: boolean;
}

const PASS: Operation = { kind: 'pass' };

const API_OF_COMP: Readonly<Record<string, Api>> = {
  blocklist: 'PutBlockList',
  metadata: 'SetBlobMetadata',
  properties: 'SetBlobProperties',
  snapshot: 'SnapshotBlob',
  tier: 'SetBlobTier',
};

/**
 * Says what a request would do. Blocks, pages, appends, leases, tags and whatever is not known are `pass`:
 * the feed (schema 4) has no record of them.
 */
export function operationOf(method: string, address: Address | undefined, headers: IncomingHttpHeaders): Operation {
  if (address === undefined) return PASS;
  const comp = address.query.get('comp')?.toLowerCase();
  const { container, name } = address;
  if (method === 'POST' && comp === 'batch') return { kind: 'batch' };
  if (container === undefined) return method === 'GET' && comp === 'list' ? { kind: 'list-containers' } : PASS;
  if (name === undefined) return comp === undefined ? containerOperation(method, container, address) : PASS;
  if (address.query.has('snapshot') || address.query.has('versionid')) return PASS;
  const api = apiOf(method, comp, headers);
  if (api === undefined) return PASS;
  const fromUrl = headers['x-ms-copy-source'] !== undefined;
  return { kind: 'change', api, key: { container, name }, path: address.path, fromUrl };
}

function containerOperation(method: string, container: string, address: Address): Operation {
  if (address.query.get('restype')?.toLowerCase() !== 'container') return PASS;
  if (method === 'PUT') return { kind: 'create-container', container };
  return method === 'DELETE' ? { kind: 'delete-container', container } : PASS;
}

function apiOf(method: string, comp: string | undefined, headers: IncomingHttpHeaders): Api | undefined {
  if (method === 'DELETE' && comp === undefined) {
    return String(headers['x-ms-delete-snapshots']).toLowerCase() === 'only' ? undefined : 'DeleteBlob';
  }
  if (method !== 'PUT') return undefined;
  if (comp !== undefined) return API_OF_COMP[comp];
  return headers['x-ms-copy-source'] !== undefined && headers['x-ms-blob-type'] === undefined ? 'CopyBlob' : 'PutBlob';
}
