import type { BlobServiceClient } from '@azure/storage-blob';
import { formatKey, type Key } from '../../namespace/key.ts';
import type { CanaryBlob } from '../../schema/ports/canary-blob.ts';
import { sourceError } from './azure-error.ts';

/** Writes the canary as one Put Blob, which is one event. */
export class AzureCanary implements CanaryBlob {
  readonly #service: BlobServiceClient;

  constructor(service: BlobServiceClient) {
    this.#service = service;
  }

  async write(key: Key, text: string, signal: AbortSignal): Promise<void> {
    const blob = this.#service.getContainerClient(key.container).getBlockBlobClient(key.name);
    const headers = { blobContentType: 'text/plain; charset=utf-8' };
    try {
      await blob.upload(text, Buffer.byteLength(text), { blobHTTPHeaders: headers, abortSignal: signal });
    } catch (error) {
      throw sourceError(error, `write the canary ${formatKey(key)}`);
    }
  }
}
