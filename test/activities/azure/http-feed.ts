import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AzureFeedStore } from '../../../activities/azure/azure-feed-store.ts';
import { blobService } from '../../../activities/azure/blob-service.ts';
import type { RetryCause } from '../../../activities/azure/request-retries.ts';
import { ACCOUNT, connectionStringOn } from '../../../infra/local/storage/account.ts';
import type { MemoryFeed } from './memory-feed.ts';

/**
 * What goes wrong with one request. `hang-up`: the connection ends without an answer. `silence`: it stays open without
 * one. A cut body ends after so many bytes; a stalled one stays open after them; a slow one comes in ten parts, with a
 * wait after each.
 */
export type HttpFault =
  | 'hang-up'
  | 'silence'
  | { readonly status: number; readonly code?: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly cutAfter: number }
  | { readonly stallAfter: number }
  | { readonly eachPart: () => Promise<unknown> };

type BodyFault = Exclude<HttpFault, string | { status: number }>;

export interface HttpRequest {
  /** Path inside the container; `?list` for a listing, `?account` for the account's properties. */
  readonly path: string;
  /** From 1. */
  readonly number: number;
}

/** A feed in memory served over real HTTP as Blob Storage does, with faults in front, and the store that reads it. */
export class HttpFeed {
  readonly requests: string[] = [];
  readonly causes: RetryCause[] = [];
  fault: ((request: HttpRequest) => HttpFault | undefined) | undefined;
  /** Told the status of each answer. */
  onAnswer: ((status: number) => void) | undefined;
  isHierarchical = false;
  readonly #feed: MemoryFeed;
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  private constructor(feed: MemoryFeed) {
    this.#feed = feed;
  }

  static async open(feed: MemoryFeed): Promise<HttpFeed> {
    const served = new HttpFeed(feed);
    await new Promise<void>((resolve) => served.#server.listen(0, '127.0.0.1', resolve));
    return served;
  }

  /** Where a test is of nothing that is silent, no connection is silent for too long, though the machine stand still. */
  store({ stallMs = 60_000 } = {}): AzureFeedStore {
    const service = blobService({ name: ACCOUNT, connectionString: this.connectionString });
    return new AzureFeedStore(service, { stallMs, delayMs: 1, onRetry: (cause) => this.causes.push(cause) });
  }

  get connectionString(): string {
    const { port } = this.#server.address() as AddressInfo;
    return connectionStringOn(port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const inside = decodeURIComponent(url.pathname).slice(`/${ACCOUNT}/`.length);
    const comp = url.searchParams.get('comp');
    const path =
      comp === 'list' ? '?list' : comp === 'properties' ? '?account' : inside.slice('$blobchangefeed/'.length);
    this.requests.push(path);
    response.once('finish', () => this.onAnswer?.(response.statusCode));
    const fault = this.fault?.({ path, number: this.requests.length });
    if (fault === 'silence') return;
    if (fault === 'hang-up') return void response.destroy();
    if (fault !== undefined && 'status' in fault) return fail(response, fault.status, fault.code, fault.headers);
    if (path === '?account') {
      response.writeHead(200, { 'x-ms-is-hns-enabled': String(this.isHierarchical), 'x-ms-sku-name': 'Standard_LRS' });
      return void response.end();
    }
    if (path === '?list') return await this.#list(response, url.searchParams.get('prefix') ?? '');
    this.#blob(request, response, path, fault);
  }

  async #list(response: ServerResponse, prefix: string): Promise<void> {
    const blobs: string[] = [];
    for await (const { path, length, etag } of this.#feed.list(prefix)) {
      const properties = `<Last-Modified>${new Date(0).toUTCString()}</Last-Modified><Etag>${etag}</Etag><Content-Length>${length}</Content-Length><BlobType>AppendBlob</BlobType>`;
      blobs.push(`<Blob><Name>${path}</Name><Properties>${properties}</Properties></Blob>`);
    }
    response.writeHead(200, { 'content-type': 'application/xml' });
    response.end(
      `<?xml version="1.0"?><EnumerationResults ContainerName="$blobchangefeed"><Blobs>${blobs.join('')}</Blobs><NextMarker/></EnumerationResults>`,
    );
  }

  #blob(request: IncomingMessage, response: ServerResponse, path: string, fault: BodyFault | undefined): unknown {
    const file = this.#feed.files.get(path);
    if (file === undefined) return fail(response, 404, 'BlobNotFound');
    const etag = `"${this.#feed.etagOf(path)}"`;
    if (request.headers['if-none-match'] === etag) return response.writeHead(304, { etag }).end();
    const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(String(request.headers['x-ms-range'] ?? '')) ?? [];
    const start = Number(from);
    if (start >= file.length && file.length > 0) return fail(response, 416, 'InvalidRange');
    const bytes = file.subarray(start, to === '' ? undefined : Number(to) + 1);
    const last = start + bytes.length - 1;
    response.writeHead(bytes.length === file.length ? 200 : 206, {
      etag,
      'last-modified': new Date(0).toUTCString(),
      'content-length': bytes.length,
      'content-range': `bytes ${start}-${last}/${file.length}`,
      'x-ms-blob-type': 'AppendBlob',
    });
    if (fault === undefined) return response.end(bytes);
    if ('eachPart' in fault) return sendSlowly(response, bytes, fault.eachPart);
    const sent = 'cutAfter' in fault ? fault.cutAfter : fault.stallAfter;
    return response.write(bytes.subarray(0, sent), () => {
      if ('cutAfter' in fault) response.destroy();
    });
  }
}

async function sendSlowly(response: ServerResponse, bytes: Buffer, eachPart: () => Promise<unknown>): Promise<void> {
  const part = Math.ceil(bytes.length / 10);
  for (let at = 0; at < bytes.length; at += part) {
    response.write(bytes.subarray(at, at + part));
    await eachPart();
  }
  response.end();
}

function fail(
  response: ServerResponse,
  status: number,
  code = 'Unknown',
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  response.writeHead(status, { 'content-type': 'application/xml', 'x-ms-error-code': code, ...headers }).end(body);
}
