import { DefaultAzureCredential } from '@azure/identity';
import { BlobServiceClient, type StoragePipelineOptions } from '@azure/storage-blob';

/** How an account is reached. */
export interface BlobAccount {
  readonly name: string;
  /** @default https://NAME.blob.core.windows.net */
  readonly blobEndpoint?: string | undefined;
  /** Without one, `DefaultAzureCredential`. */
  readonly connectionString?: string | undefined;
}

/** A look or a page must not hang for long behind a connection that is dead; loops try again anyway. */
export const PIPELINE: StoragePipelineOptions = {
  retryOptions: { maxTries: 5, retryDelayInMs: 200, maxRetryDelayInMs: 5_000, tryTimeoutInMs: 60_000 },
  userAgentOptions: { userAgentPrefix: 'isthmus' },
  keepAliveOptions: { enable: true },
};

/** The client that every adapter of one account shares. @throws where the connection string is none. */
export function blobService(account: BlobAccount, pipeline: StoragePipelineOptions = PIPELINE): BlobServiceClient {
  if (account.connectionString !== undefined) {
    return BlobServiceClient.fromConnectionString(account.connectionString, pipeline);
  }
  const endpoint = account.blobEndpoint ?? `https://${account.name}.blob.core.windows.net`;
  return new BlobServiceClient(endpoint, new DefaultAzureCredential(), pipeline);
}
