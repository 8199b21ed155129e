import type { BlobServiceClient, ContainerClient } from '@azure/storage-blob';
import { IsthmusError } from '../../schema/errors.ts';
import { unquote } from '../../schema/events/blob-effect.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';
import { azureFailure, sourceError } from './azure-error.ts';

const CONTAINER = '$blobchangefeed';
const PAGE_SIZE = 5_000;
/** Whole requests, for a connection that is cut while the body comes. */
const ATTEMPTS = 4;

/** The account's own change feed. It is not in List Containers, but can be read by its name. */
export class AzureFeedStore implements FeedStore {
  readonly #container: ContainerClient;

  constructor(service: BlobServiceClient) {
    this.#container = service.getContainerClient(CONTAINER);
  }

  async readText(path: string, signal: AbortSignal): Promise<{ text: string; etag: string } | undefined> {
    return this.#ask(path, signal, async () => {
      const answer = await this.#container.getBlobClient(path).download(0, undefined, this.#once(signal));
      const bytes = await collect(answer.readableStreamBody);
      return { text: Buffer.from(bytes).toString('utf8'), etag: unquote(answer.etag ?? '') };
    });
  }

  async *list(prefix: string, signal: AbortSignal): AsyncGenerator<{ path: string; length: number }> {
    try {
      const blobs = this.#container.listBlobsFlat({ prefix, abortSignal: signal });
      for await (const page of blobs.byPage({ maxPageSize: PAGE_SIZE })) {
        for (const { name, properties } of page.segment.blobItems) {
          yield { path: name, length: properties.contentLength ?? 0 };
        }
      }
    } catch (error) {
      throw feedError(error, `list ${CONTAINER}/${prefix}`);
    }
  }

  /** Bound to no ETag: a chunk grows while it is read, and what it held stays true. */
  async readRange(path: string, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#ask(path, signal, async () => {
      try {
        const answer = await this.#container.getBlobClient(path).download(offset, length, this.#once(signal));
        return await collect(answer.readableStreamBody);
      } catch (error) {
        if (azureFailure(error)?.status === 416) return new Uint8Array();
        throw error;
      }
    });
  }

  /** The client's own continuation of a cut body asks for the ETag that it began with, which a growing blob has lost. */
  #once(abortSignal: AbortSignal) {
    return { abortSignal, maxRetryRequests: 0 };
  }

  async #ask<T>(path: string, signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        signal.throwIfAborted();
        const failure = azureFailure(error);
        if (failure?.code === 'BlobNotFound') return undefined;
        if (attempt < ATTEMPTS && failure === undefined) continue;
        throw feedError(error, `read ${CONTAINER}/${path}`);
      }
    }
  }
}

async function collect(body: AsyncIterable<unknown> | undefined): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of body ?? []) parts.push(part instanceof Uint8Array ? part : Buffer.from(String(part)));
  const [first] = parts;
  return first !== undefined && parts.length === 1 ? first : Buffer.concat(parts);
}

function feedError(error: unknown, doing: string): unknown {
  const failure = azureFailure(error);
  if (failure?.code === 'ContainerNotFound') {
    return new IsthmusError(
      'ISTHMUS_FEED_UNAVAILABLE',
      `the account has no ${CONTAINER}: its change feed is not enabled`,
      {
        cause: error,
      },
    );
  }
  if (failure?.status === 401 || failure?.status === 403) {
    const message = `${CONTAINER} may not be read (${failure.code}): Storage Blob Data Reader on the account is needed`;
    return new IsthmusError('ISTHMUS_FEED_UNAVAILABLE', message, { cause: error });
  }
  return sourceError(error, doing);
}
