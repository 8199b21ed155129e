import type { BlobServiceClient } from '@azure/storage-blob';
import getPort from 'get-port';
import { blobService } from '../../../activities/azure/blob-service.ts';
import { ACCOUNT, connectionStringOn } from '../../../infra/local/storage/account.ts';
import { AzuriteProcess } from '../../../infra/local/storage/azurite-process.ts';

/** An Azurite of its own, in memory, and a client of it made as the worker makes its own. */
export async function testAzurite(): Promise<AsyncDisposable & { readonly service: BlobServiceClient }> {
  const port = await getPort({ host: '127.0.0.1' });
  const azurite = await AzuriteProcess.start({ port, location: undefined, onDeath: () => {} });
  return {
    service: blobService({ name: ACCOUNT, connectionString: connectionStringOn(port) }),
    [Symbol.asyncDispose]: () => azurite.stop(),
  };
}
