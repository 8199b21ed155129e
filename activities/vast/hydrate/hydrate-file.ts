import type { Attributes } from '../../../namespace/entry.ts';
import type { Key } from '../../../namespace/key.ts';
import { formatKey } from '../../../namespace/key.ts';
import { ensureError } from '../../../schema/errors.ts';
import type { StubResult } from '../../../schema/index/stubs.ts';
import type { BlobSource } from '../../../schema/ports/blob-source.ts';
import type { Sink } from '../../../schema/ports/sink.ts';

/** A live entry whose bytes are wanted. */
export interface Wanted {
  readonly key: Key;
  readonly attributes: Attributes;
  readonly revision: number;
}

export interface HydrateOptions {
  readonly sink: Sink;
  readonly blobs: BlobSource;
  /** Looks at the blob, writes what it is now into the index, and returns the entry as it is then; undefined where it is not live any more. */
  readonly refresh: (wanted: Wanted, signal: AbortSignal) => Promise<Wanted | undefined>;
  /** Writes the result where the entry's revision has not moved; else the stub is made due, so that the sink follows the entry. */
  readonly settle: (result: StubResult) => Promise<void>;
}

export type HydratedFile =
  | { readonly outcome: 'hydrated'; readonly bytes: number }
  | { readonly outcome: 'already' | 'gone' }
  | { readonly outcome: 'failed'; readonly reason: string };

/** Nothing was claimed here, so whatever made the stub due meanwhile keeps it due. */
const NO_LEASE = 0;

/** Versions of one blob that are tried before it is left as a failure: it is being rewritten all the time. */
const VERSIONS = 4;

/**
 * Brings one blob's bytes in. Where the blob is another version than the entry says, it is looked at, the
 * entry follows, and the new version is fetched from its first byte. Never throws for the one file.
 */
export async function hydrateFile(first: Wanted, options: HydrateOptions, signal: AbortSignal): Promise<HydratedFile> {
  try {
    return await fetchVersions(first, options, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    return failed(first, ensureError(thrown).message);
  }
}

async function fetchVersions(first: Wanted, options: HydrateOptions, signal: AbortSignal): Promise<HydratedFile> {
  const { sink, blobs } = options;
  let wanted = first;
  let reason = '';
  for (let version = 0; version < VERSIONS; version++) {
    const { key, attributes, revision } = wanted;
    if (attributes.tier === 'Archive') return failed(wanted, 'it is in the Archive tier: rehydrate it in Azure first');
    const openRange = (offset: number, length: number, aborted: AbortSignal) =>
      blobs.readRange(key, { etag: attributes.etag, offset, length }, aborted);
    const result = await sink.hydrate({ key, attributes, revision }, openRange, signal);
    switch (result.outcome) {
      case 'hydrated':
        await options.settle({ key, revision, lease: NO_LEASE, state: 'hydrated', etag: attributes.etag });
        return result;
      case 'already':
        await options.settle({ key, revision, lease: NO_LEASE, state: 'hydrated', etag: attributes.etag });
        return { outcome: 'already' };
      case 'conflict':
      case 'unrepresentable':
        return failed(wanted, result.reason);
      case 'mismatch': {
        reason = result.reason;
        const next = await options.refresh(wanted, signal);
        if (next === undefined) return { outcome: 'gone' };
        wanted = next;
      }
    }
  }
  return failed(wanted, `no version of it could be read whole, ${VERSIONS} times: ${reason}`);
}

function failed(wanted: Wanted, reason: string): HydratedFile {
  return { outcome: 'failed', reason: `'${formatKey(wanted.key)}': ${reason}` };
}
