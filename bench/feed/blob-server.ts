import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative, sep } from 'node:path';
import { ACCOUNT } from '../../infra/local/storage/account.ts';

const PAGE = 5_000;
const VERSION = '2026-02-06';

interface ServedBlob {
  readonly name: string;
  readonly file: string;
  readonly length: number;
  readonly etag: string;
  readonly modified: string;
}

/**
 * Serves the containers of a folder as Blob Storage does, read-only: ranges with 206 and 416, conditions with 304,
 * listings with prefix, delimiter and marker, properties. Azurite would do as well, but takes a 4 MiB append at a time
 * to be given the feed. Signatures are not checked, and what is in the folder at the start is what there is.
 *
 * @param before answers a request itself, or returns false.
 */
export async function serveBlobs(
  folder: string,
  port = 0,
  before: (request: IncomingMessage, response: ServerResponse, path: string, query: URLSearchParams) => boolean = () =>
    false,
): Promise<{ readonly port: number; readonly server: Server }> {
  const blobs = await readBlobs(folder);
  const names = [...blobs.keys()].sort();
  const server = createServer((request, response) => {
    response.setHeader('x-ms-version', VERSION);
    response.setHeader('x-ms-request-id', '00000000-0000-0000-0000-000000000000');
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const path = decodeURIComponent(url.pathname).slice(`/${ACCOUNT}/`.length);
    if (before(request, response, path, url.searchParams)) return;
    if (url.searchParams.get('comp') === 'list') list(response, path, url.searchParams, names, blobs);
    else if (url.searchParams.get('restype') === 'container') {
      const known = names.some((name) => name.startsWith(`${path}/`));
      known ? response.writeHead(200).end() : fail(response, 404, 'ContainerNotFound');
    } else {
      const blob = blobs.get(path);
      blob === undefined ? fail(response, 404, 'BlobNotFound') : answer(request, response, blob);
    }
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, server };
}

/** Blobs by `container/name`. */
async function readBlobs(folder: string): Promise<ReadonlyMap<string, ServedBlob>> {
  const blobs = new Map<string, ServedBlob>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const path = relative(folder, file).split(sep).join('/');
    const { size, mtimeMs } = await stat(file);
    const etag = `"0x${Math.trunc(mtimeMs).toString(16).toUpperCase()}${size.toString(16).toUpperCase()}"`;
    const name = path.slice(path.indexOf('/') + 1);
    blobs.set(path, { name, file, length: size, etag, modified: new Date(mtimeMs).toUTCString() });
  }
  return blobs;
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { file, length, etag, modified }: ServedBlob,
): void {
  response.setHeader('etag', etag);
  response.setHeader('last-modified', modified);
  response.setHeader('x-ms-blob-type', 'AppendBlob');
  response.setHeader('content-type', file.endsWith('.json') ? 'application/json' : 'avro/binary');
  response.setHeader('accept-ranges', 'bytes');
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return;
  }
  const asked = /^bytes=(\d+)-(\d*)$/.exec(String(request.headers['x-ms-range'] ?? request.headers.range ?? ''));
  const start = Number(asked?.[1] ?? 0);
  const end = Math.min(length - 1, asked?.[2] ? Number(asked[2]) : length - 1);
  if (asked !== null && start >= length) {
    fail(response, 416, 'InvalidRange');
    return;
  }
  response.setHeader('content-length', end - start + 1);
  if (asked !== null) response.setHeader('content-range', `bytes ${start}-${end}/${length}`);
  response.writeHead(asked === null ? 200 : 206);
  if (request.method === 'HEAD' || length === 0) {
    response.end();
    return;
  }
  createReadStream(file, { start, end, highWaterMark: 1 << 20 })
    .on('error', () => response.destroy())
    .pipe(response);
}

function list(
  response: ServerResponse,
  container: string,
  query: URLSearchParams,
  names: readonly string[],
  blobs: ReadonlyMap<string, ServedBlob>,
): void {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const marker = query.get('marker') ?? '';
  const most = Math.min(PAGE, Number(query.get('maxresults') ?? PAGE));
  const items = new Map<string, string>();
  let next = '';
  for (const path of names) {
    if (!path.startsWith(`${container}/${prefix}`)) continue;
    const name = path.slice(container.length + 1);
    const cut = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length);
    const key = cut < 0 ? name : name.slice(0, cut + delimiter.length);
    if (key < marker || items.has(key)) continue;
    if (items.size === most) {
      next = key;
      break;
    }
    const blob = blobs.get(path);
    items.set(key, cut < 0 && blob !== undefined ? blobXml(blob) : `<BlobPrefix><Name>${xml(key)}</Name></BlobPrefix>`);
  }
  response.setHeader('content-type', 'application/xml');
  response
    .writeHead(200)
    .end(
      `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="http://127.0.0.1/${ACCOUNT}/" ContainerName="${xml(container)}">` +
        `<Prefix>${xml(prefix)}</Prefix><MaxResults>${most}</MaxResults><Blobs>${[...items.values()].join('')}</Blobs>` +
        `<NextMarker>${xml(next)}</NextMarker></EnumerationResults>`,
    );
}

function blobXml({ name, length, etag, modified }: ServedBlob): string {
  return (
    `<Blob><Name>${xml(name)}</Name><Properties><Last-Modified>${modified}</Last-Modified><Etag>${xml(etag)}</Etag>` +
    `<Content-Length>${length}</Content-Length><BlobType>AppendBlob</BlobType></Properties></Blob>`
  );
}

/** Answers as the service does where something is not there. */
export function fail(response: ServerResponse, status: number, code: string): void {
  response.setHeader('x-ms-error-code', code);
  response.setHeader('content-type', 'application/xml');
  response.writeHead(status).end(`<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code></Error>`);
}

export function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
