import { type BlobDownloadResponseParsed, type BlobServiceClient, ContainerClient } from '@azure/storage-blob';
import { unquote } from '../../schema/events/blob-effect.ts';
import { FeedUnavailableError } from '../../schema/feed/feed-error.ts';
import type { FeedBytes, FeedCondition, FeedFile, FeedStore, FeedText } from '../../schema/ports/feed-store.ts';
import { azureFailure, isContainerGone, sourceError } from './azure-error.ts';
import { PIPELINE } from './blob-service.ts';
import { type Attempt, type RetryOptions, withRetries } from './request-retries.ts';

const CONTAINER = '$blobchangefeed';
const PAGE_SIZE = 5_000;
/** One attempt each: the retries are `withRetries`. */
const ONCE = { ...PIPELINE, retryOptions: { maxTries: 1 } };

/** The account's own change feed. It is not in List Containers, but can be read by its name. */
export class AzureFeedStore implements FeedStore {
  readonly #service: BlobServiceClient;
  readonly #container: ContainerClient;
  readonly #retries: RetryOptions;

  constructor(service: BlobServiceClient, retries: RetryOptions = {}) {
    this.#service = service;
    this.#container = new ContainerClient(service.getContainerClient(CONTAINER).url, service.credential, ONCE);
    this.#retries = retries;
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
    let continuationToken: string | undefined;
    do {
      const { blobItems, next } = await this.#listPage(prefix, continuationToken, signal);
      for (const { name, properties } of blobItems) {
        const { contentLength = 0, etag, lastModified } = properties;
        yield { path: name, length: contentLength, etag: unquote(etag), modifiedAt: lastModified.getTime() };
      }
      continuationToken = next;
    } while (continuationToken !== undefined);
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

  async #listPage(prefix: string, continuationToken: string | undefined, signal: AbortSignal) {
    try {
      return await withRetries(this.#retries, signal, async (attempt) => {
        const pages = this.#container
          .listBlobsFlat({ prefix, abortSignal: attempt.signal })
          .byPage({ maxPageSize: PAGE_SIZE, ...(continuationToken !== undefined && { continuationToken }) });
        const { value } = await pages.next();
        return { blobItems: value.segment.blobItems, next: value.continuationToken || undefined };
      });
    } catch (error) {
      signal.throwIfAborted();
      throw await this.#feedError(error, `list ${CONTAINER}/${prefix}`, signal);
    }
  }

  async #read(
    path: string,
    offset: number,
    length: number | undefined,
    { ifNoneMatch }: FeedCondition,
    signal: AbortSignal,
  ): Promise<FeedBytes | 'unchanged' | undefined> {
    const blob = this.#container.getBlobClient(path);
    try {
      return await withRetries(this.#retries, signal, async (attempt) => {
        const answer = await blob.download(offset, length, {
          abortSignal: attempt.signal,
          // The client's own continuation of a cut body asks for the ETag that it began with, which a growing blob has lost.
          maxRetryRequests: 0,
          ...(ifNoneMatch !== undefined && { conditions: { ifNoneMatch: `"${ifNoneMatch}"` } }),
        });
        return { bytes: await collect(answer, attempt), etag: unquote(answer.etag ?? '') };
      });
    } catch (error) {
      signal.throwIfAborted();
      const failure = azureFailure(error);
      if (failure?.status === 304) return 'unchanged';
      if (failure?.status === 416) return { bytes: new Uint8Array(), etag: '' };
      if (failure?.code === 'BlobNotFound') return undefined;
      throw await this.#feedError(error, `read ${CONTAINER}/${path}`, signal);
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
  async #isHierarchical(signal: AbortSignal): Promise<boolean> {
    try {
      return await withRetries(this.#retries, signal, async (attempt) => {
        const answer = await this.#service.getAccountInfo({ abortSignal: attempt.signal });
        return answer.isHierarchicalNamespaceEnabled === true;
      });
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }
}

/** The body, copied once into bytes of its own length. */
async function collect(
  { contentLength, readableStreamBody }: BlobDownloadResponseParsed,
  attempt: Attempt,
): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(contentLength ?? 0);
  let filled = 0;
  for await (const part of readableStreamBody ?? []) {
    attempt.alive();
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
