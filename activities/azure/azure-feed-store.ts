import type { BlobDownloadResponseParsed, BlobServiceClient, ContainerClient } from '@azure/storage-blob';
import { unquote } from '../../schema/events/blob-effect.ts';
import { FeedUnavailableError } from '../../schema/feed/feed-error.ts';
import type { FeedBytes, FeedCondition, FeedFile, FeedStore, FeedText } from '../../schema/ports/feed-store.ts';
import { azureFailure, isContainerGone, sourceError } from './azure-error.ts';

const CONTAINER = '$blobchangefeed';
const PAGE_SIZE = 5_000;
/** Whole requests, for a connection that is cut while the body comes. */
const ATTEMPTS = 4;

/** The account's own change feed. It is not in List Containers, but can be read by its name. */
export class AzureFeedStore implements FeedStore {
  readonly #service: BlobServiceClient;
  readonly #container: ContainerClient;

  constructor(service: BlobServiceClient) {
    this.#service = service;
    this.#container = service.getContainerClient(CONTAINER);
  }

  async readText(
    path: string,
    condition: FeedCondition,
    signal: AbortSignal,
  ): Promise<FeedText | 'unchanged' | undefined> {
    const answer = await this.#read(path, 0, undefined, condition, signal);
    if (typeof answer !== 'object') return answer;
    return { text: Buffer.from(answer.bytes).toString('utf8'), etag: answer.etag };
  }

  async *list(prefix: string, signal: AbortSignal): AsyncGenerator<FeedFile> {
    try {
      const blobs = this.#container.listBlobsFlat({ prefix, abortSignal: signal });
      for await (const page of blobs.byPage({ maxPageSize: PAGE_SIZE })) {
        for (const { name, properties } of page.segment.blobItems) {
          const { contentLength = 0, etag, lastModified } = properties;
          yield { path: name, length: contentLength, etag: unquote(etag), modifiedAt: lastModified.getTime() };
        }
      }
    } catch (error) {
      signal.throwIfAborted();
      throw await this.#feedError(error, `list ${CONTAINER}/${prefix}`, signal);
    }
  }

  /** Bound to no ETag of its own: a chunk grows while it is read, and what it held stays true. */
  readRange(
    path: string,
    offset: number,
    length: number,
    condition: FeedCondition,
    signal: AbortSignal,
  ): Promise<FeedBytes | 'unchanged' | undefined> {
    return this.#read(path, offset, length, condition, signal);
  }

  async #read(
    path: string,
    offset: number,
    length: number | undefined,
    { ifNoneMatch }: FeedCondition,
    signal: AbortSignal,
  ): Promise<FeedBytes | 'unchanged' | undefined> {
    const blob = this.#container.getBlobClient(path);
    // The client's own continuation of a cut body asks for the ETag that it began with, which a growing blob has lost.
    const options = {
      abortSignal: signal,
      maxRetryRequests: 0,
      ...(ifNoneMatch !== undefined && { conditions: { ifNoneMatch: `"${ifNoneMatch}"` } }),
    };
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await blob.download(offset, length, options);
        return { bytes: await collect(answer), etag: unquote(answer.etag ?? '') };
      } catch (error) {
        signal.throwIfAborted();
        const failure = azureFailure(error);
        if (failure?.status === 304) return 'unchanged';
        if (failure?.status === 416) return { bytes: new Uint8Array(), etag: '' };
        if (failure?.code === 'BlobNotFound') return undefined;
        if (attempt < ATTEMPTS && failure === undefined) continue;
        throw await this.#feedError(error, `read ${CONTAINER}/${path}`, signal);
      }
    }
  }

  async #feedError(error: unknown, doing: string, signal: AbortSignal): Promise<unknown> {
    const failure = azureFailure(error);
    if (failure !== undefined && isContainerGone(failure)) {
      return (await this.#isHierarchical(signal))
        ? new FeedUnavailableError(
            'hierarchical',
            'the account has a hierarchical namespace: no change feed tells its changes, so triggers and inventory must',
            error,
          )
        : new FeedUnavailableError(
            'not-enabled',
            `the account has no ${CONTAINER}: its change feed is not enabled`,
            error,
          );
    }
    if (failure?.status === 401 || failure?.status === 403) {
      const message = `${CONTAINER} may not be read (${failure.code}): Storage Blob Data Reader on the account is needed`;
      return new FeedUnavailableError('forbidden', message, error);
    }
    return sourceError(error, doing);
  }

  /** Whoever may not ask, or an account that does not say, counts as flat: the message is then the likelier one. */
  async #isHierarchical(abortSignal: AbortSignal): Promise<boolean> {
    try {
      const { isHierarchicalNamespaceEnabled } = await this.#service.getAccountInfo({ abortSignal });
      return isHierarchicalNamespaceEnabled === true;
    } catch {
      abortSignal.throwIfAborted();
      return false;
    }
  }
}

/** The body, copied once into bytes of its own length. */
async function collect({ contentLength, readableStreamBody }: BlobDownloadResponseParsed): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(contentLength ?? 0);
  let filled = 0;
  for await (const part of readableStreamBody ?? []) {
    const piece = part instanceof Uint8Array ? part : Buffer.from(String(part));
    if (filled + piece.length > bytes.length) throw cutBody('more came than was promised');
    bytes.set(piece, filled);
    filled += piece.length;
  }
  if (filled < bytes.length) throw cutBody('the body ended early');
  return bytes;
}

function cutBody(why: string): Error {
  return Object.assign(new Error(why), { code: 'ECONNRESET' });
}
