import type { BlobServiceClient, StoragePipelineOptions } from '@azure/storage-blob';
import { isSystemContainer } from '../../namespace/key.ts';
import { azureFailure, isContainerGone } from './azure-error.ts';
import { type BlobAccount, blobService, PIPELINE } from './blob-service.ts';

/** Whoever asks how an account is wants the first answer, and no second try of a minute. */
const ASKING: StoragePipelineOptions = {
  ...PIPELINE,
  retryOptions: { maxTries: 2, retryDelayInMs: 200, tryTimeoutInMs: 8_000 },
};

export function askingService(account: BlobAccount): BlobServiceClient {
  return blobService(account, ASKING);
}

export interface ContainersAnswer {
  /** The first page's, without the system ones. */
  readonly containers: readonly string[];
  /** The answer's own date, in milliseconds; undefined where it had none. */
  readonly date: number | undefined;
  /** When the question left and the answer was here, by this machine's clock. */
  readonly sent: number;
  readonly received: number;
}

/** One page of List Containers: the right on the whole account that a reconcile needs, and the service's clock. */
export async function askContainers(service: BlobServiceClient, signal: AbortSignal): Promise<ContainersAnswer> {
  const sent = Date.now();
  const { value } = await service.listContainers({ abortSignal: signal }).byPage({ maxPageSize: 1_000 }).next();
  const received = Date.now();
  const date = Date.parse(value._response.headers.get('date') ?? '');
  return {
    containers: value.containerItems
      .map(({ name }: { name: string }) => name)
      .filter((name: string) => !isSystemContainer(name)),
    date: Number.isFinite(date) ? date : undefined,
    sent,
    received,
  };
}

export interface AccountKind {
  /** `StorageV2`, `BlockBlobStorage`, `BlobStorage`, `Storage`. */
  readonly kind: string | undefined;
  readonly hierarchical: boolean | undefined;
}

export async function askAccountKind(service: BlobServiceClient, signal: AbortSignal): Promise<AccountKind> {
  const { accountKind, isHierarchicalNamespaceEnabled } = await service.getAccountInfo({ abortSignal: signal });
  return { kind: accountKind, hierarchical: isHierarchicalNamespaceEnabled };
}

/** @returns when the container's own properties were last changed, which is not before it was made; undefined where it is not there. */
export async function askContainer(
  service: BlobServiceClient,
  name: string,
  signal: AbortSignal,
): Promise<{ readonly changedAt: number } | undefined> {
  try {
    const { lastModified } = await service.getContainerClient(name).getProperties({ abortSignal: signal });
    return { changedAt: lastModified?.getTime() ?? 0 };
  } catch (error) {
    const failure = azureFailure(error);
    if (failure !== undefined && isContainerGone(failure)) return undefined;
    throw error;
  }
}

/** Lists one blob and asks for its properties, as a look does. @returns its name; undefined where there is none. */
export async function askBlob(
  service: BlobServiceClient,
  container: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const client = service.getContainerClient(container);
  const { value } = await client.listBlobsFlat({ abortSignal: signal }).byPage({ maxPageSize: 1 }).next();
  const name: string | undefined = value?.segment.blobItems[0]?.name;
  if (name !== undefined) {
    await client
      .getBlobClient(name)
      .getProperties({ abortSignal: signal })
      .catch((error: unknown) => {
        // It may have gone since, or have a name that no plain path carries; that one may read is seen even so.
        if (azureFailure(error)?.status !== 404) throw error;
      });
  }
  return name;
}
