import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  generateAccountSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import type { BlobType } from '../../../../namespace/entry.ts';
import { ACCOUNT, ACCOUNT_KEY } from '../account.ts';

/** What a HEAD tells of a blob. */
export interface BlobFacts {
  readonly etag: string;
  readonly contentType: string;
  readonly contentLength: number;
  readonly blobType: BlobType;
  readonly tier: string | undefined;
  readonly headers: IncomingMessage['headers'];
}

/** The Azurite behind the front. Connections are kept open and shared by all requests. */
export class Upstream {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 64 });
  readonly #sas = accountSas();

  constructor(port: number) {
    this.#port = port;
  }

  /** Headers are pairs in one list, as `rawHeaders` are, and are sent as they stand. */
  open(method: string, path: string, headers: readonly string[]): ClientRequest {
    return request({ host: '127.0.0.1', port: this.#port, agent: this.#agent, method, path, headers });
  }

  /**
   * What the blob at this raw path is like now; undefined where there is none. The path is the client's own
   * text, so every name, however odd, is the client's blob. Authorised by a SAS, which covers no path.
   */
  look(path: string): Promise<BlobFacts | undefined> {
    return new Promise((resolve, reject) => {
      const head = this.open('HEAD', `${path}?${this.#sas}`, ['Host', `127.0.0.1:${this.#port}`]);
      head.on('error', reject);
      head.on('response', (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200 ? factsOf(answer.headers) : undefined);
      });
      head.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

export function unquote(etag: string | undefined): string {
  return (etag ?? '').replaceAll('"', '');
}

function factsOf(headers: IncomingMessage['headers']): BlobFacts {
  return {
    etag: unquote(headers.etag),
    contentType: headers['content-type'] ?? '',
    contentLength: Number(headers['content-length'] ?? 0),
    blobType: blobTypeOf(headers['x-ms-blob-type']),
    tier: first(headers['x-ms-access-tier']),
    headers,
  };
}

export function blobTypeOf(header: string | string[] | undefined): BlobType {
  const type = first(header)?.toLowerCase();
  return type === 'pageblob' ? 'PageBlob' : type === 'appendblob' ? 'AppendBlob' : 'BlockBlob';
}

/** A header that may come twice, read once. */
export function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

function accountSas(): string {
  return generateAccountSASQueryParameters(
    {
      expiresOn: new Date('2099-01-01T00:00:00Z'),
      permissions: AccountSASPermissions.parse('rl'),
      resourceTypes: AccountSASResourceTypes.parse('o').toString(),
      services: AccountSASServices.parse('b').toString(),
    },
    new StorageSharedKeyCredential(ACCOUNT, ACCOUNT_KEY),
  ).toString();
}
