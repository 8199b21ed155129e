import type { BlobServiceClient, ContainerClient } from '@azure/storage-blob';
import type { Attributes } from '../../namespace/entry.ts';
import { formatKey, isSystemContainer, type Key } from '../../namespace/key.ts';
import { IsthmusError } from '../../schema/errors.ts';
import type {
  BlobPage,
  BlobSource,
  ContainerPage,
  DirectoryPage,
  LookResult,
  RangeRequest,
} from '../../schema/ports/blob-source.ts';
import { azureFailure, isContainerGone, serverTime, sourceError } from './azure-error.ts';
import { blobClient } from './blob-address.ts';
import { attributesOfHead } from './blob-attributes.ts';
import { BlobLister } from './blob-lister.ts';

const PAGE_SIZE = 5_000;

/** The blobs of one storage account, through Azure's own client, which retries what is transient. */
export class AzureBlobSource implements BlobSource {
  readonly #service: BlobServiceClient;
  readonly #lister: BlobLister;
  readonly #hierarchical: boolean;

  /** @param options `hierarchical`: the account lists its directories among the blobs. They are none. */
  constructor(service: BlobServiceClient, options: { readonly hierarchical?: boolean | undefined } = {}) {
    this.#service = service;
    this.#lister = new BlobLister(service);
    this.#hierarchical = options.hierarchical === true;
  }

  async look(key: Key, signal: AbortSignal): Promise<LookResult> {
    try {
      const head = await blobClient(this.#container(key.container), key.name).getProperties({ abortSignal: signal });
      const time = head.date?.getTime() ?? serverTime(undefined);
      const attributes = attributesOfHead(head);
      return this.#isDirectory(attributes) ? { kind: 'absent', time } : { kind: 'found', attributes, time };
    } catch (error) {
      const failure = azureFailure(error);
      if (failure !== undefined && isContainerGone(failure)) return { kind: 'container-gone', time: failure.time };
      // Only the service's own word is an absence: a proxy's 404 has no such header.
      if (failure?.code === 'BlobNotFound') return { kind: 'absent', time: failure.time };
      throw sourceError(error, `look at ${formatKey(key)}`);
    }
  }

  async *listContainers(signal: AbortSignal): AsyncGenerator<ContainerPage> {
    try {
      for await (const page of this.#service
        .listContainers({ abortSignal: signal })
        .byPage({ maxPageSize: PAGE_SIZE })) {
        const containers = page.containerItems.map((item) => item.name).filter((name) => !isSystemContainer(name));
        yield { containers, time: serverTime(page._response.headers.get('date')) };
      }
    } catch (error) {
      throw sourceError(error, 'list containers');
    }
  }

  /** A container that is not there, or goes meanwhile, has no more blobs. */
  async *listBlobs(container: string, prefix: string, signal: AbortSignal): AsyncGenerator<BlobPage> {
    try {
      for await (const { blobs, time } of this.#lister.pages(container, { prefix }, signal)) {
        yield { blobs: this.#withoutDirectories(blobs), time };
      }
    } catch (error) {
      endOfList(error, `${container}/${prefix}`);
    }
  }

  async *listDirectory(container: string, prefix: string, signal: AbortSignal): AsyncGenerator<DirectoryPage> {
    try {
      for await (const page of this.#lister.pages(container, { prefix, delimiter: '/' }, signal)) {
        const { blobs, prefixes, time } = page;
        yield { blobs: this.#withoutDirectories(blobs), prefixes, time };
      }
    } catch (error) {
      endOfList(error, `${container}/${prefix}`);
    }
  }

  #withoutDirectories(blobs: BlobPage['blobs']): BlobPage['blobs'] {
    return this.#hierarchical ? blobs.filter(({ attributes }) => !this.#isDirectory(attributes)) : blobs;
  }

  async readRange(key: Key, range: RangeRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const client = blobClient(this.#container(key.container), key.name);
    const conditions = { ifMatch: `"${range.etag}"` };
    try {
      if (range.length === 0) {
        await client.getProperties({ conditions, abortSignal: signal });
        return nothing();
      }
      const options = { conditions, maxRetryRequests: 5, abortSignal: signal };
      const answer = await client.download(range.offset, range.length, options);
      return checked(key, range, answer.readableStreamBody ?? []);
    } catch (error) {
      throw rangeError(key, range, error);
    }
  }

  async readText(key: Key, signal: AbortSignal): Promise<string | undefined> {
    try {
      const client = blobClient(this.#container(key.container), key.name);
      return (await client.downloadToBuffer(0, undefined, { abortSignal: signal })).toString('utf8');
    } catch (error) {
      if (azureFailure(error)?.status === 404) return undefined;
      throw sourceError(error, `read ${formatKey(key)}`);
    }
  }

  /** On an account without directories a blob with this metadata is what some client writes in place of one: a blob. */
  #isDirectory({ metadata }: Attributes): boolean {
    return this.#hierarchical && metadata?.hdi_isfolder?.toLowerCase() === 'true';
  }

  #container(name: string): ContainerClient {
    return this.#service.getContainerClient(name);
  }
}

/** Returns where the container is gone: it has no more blobs. @throws what else went wrong. */
function endOfList(error: unknown, what: string): void {
  const failure = azureFailure(error);
  if (failure === undefined || !isContainerGone(failure)) throw sourceError(error, `list ${what}`);
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Fails where fewer bytes come than were asked for, so that a short answer is never taken for the whole. */
async function* checked(
  key: Key,
  range: RangeRequest,
  body: AsyncIterable<unknown> | Iterable<unknown>,
): AsyncGenerator<Uint8Array> {
  let received = 0;
  try {
    for await (const part of body) {
      const bytes = part instanceof Uint8Array ? part : Buffer.from(String(part));
      received += bytes.length;
      yield bytes;
    }
  } catch (error) {
    throw rangeError(key, range, error);
  }
  if (received === range.length) return;
  const message = `read ${formatKey(key)}: ${received} bytes came at ${range.offset}, of ${range.length} asked for`;
  throw new IsthmusError('ISTHMUS_SOURCE_UNAVAILABLE', message);
}

/** 412, 404 and 416 all say that this version is no more. */
function rangeError(key: Key, range: RangeRequest, error: unknown): unknown {
  const status = azureFailure(error)?.status;
  if (status !== 412 && status !== 404 && status !== 416) return sourceError(error, `read ${formatKey(key)}`);
  const message = `${formatKey(key)} is no longer the version ${range.etag}`;
  return new IsthmusError('ISTHMUS_SOURCE_CHANGED', message, { cause: error });
}
