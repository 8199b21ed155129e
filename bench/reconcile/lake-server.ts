import type { IncomingMessage, ServerResponse } from 'node:http';
import { ACCOUNT } from '../../infra/local/storage/account.ts';
import { fail, xml } from '../feed/blob-server.ts';
import { CONTAINERS, CONTENT_TYPE, type Lake, nameOf, rowOf, SHARDS, type Version, versionOf } from './lake.ts';

const PAGE = 5_000;
/** What intake writes to meanwhile; it is there, and nothing of it is listed. */
const OTHERS = ['lake'];

/** Answers every HEAD and every listing of the lake as it is now, from the rows' numbers alone: nothing of it is held. */
export function answerOf(lake: Lake) {
  return (request: IncomingMessage, response: ServerResponse, path: string, query: URLSearchParams): boolean => {
    const list = query.get('comp') === 'list';
    if (path === '') return list && listContainers(response);
    const slash = path.indexOf('/');
    const container = slash < 0 ? path : path.slice(0, slash);
    if (![...CONTAINERS, ...OTHERS].includes(container)) return false;
    if (list) return listBlobs(response, lake, container, query);
    if (slash < 0) return done(response.writeHead(200));
    const row = rowOf(lake, container, path.slice(slash + 1));
    const version = row === undefined ? undefined : versionOf(lake, row, true);
    if (version === undefined || request.method !== 'HEAD') fail(response, 404, 'BlobNotFound');
    else head(response, version);
    return true;
  };
}

function done(response: ServerResponse, text?: string): true {
  response.end(text);
  return true;
}

function head(response: ServerResponse, { etag, length, modified, md5, blobType, tier, metadata }: Version): void {
  response.setHeader('etag', `"${etag}"`);
  response.setHeader('last-modified', new Date(modified).toUTCString());
  response.setHeader('content-length', length);
  response.setHeader('content-type', CONTENT_TYPE);
  response.setHeader('content-md5', md5);
  response.setHeader('x-ms-blob-type', blobType);
  response.setHeader('x-ms-access-tier', tier);
  for (const [name, value] of tagsOf(metadata)) response.setHeader(`x-ms-meta-${name}`, value);
  response.writeHead(200).end();
}

function tagsOf(metadata: string | undefined): readonly (readonly [string, string])[] {
  return metadata === undefined ? [] : Object.entries(JSON.parse(metadata) as Record<string, string>);
}

function listContainers(response: ServerResponse): true {
  const items = [...CONTAINERS, ...OTHERS]
    .sort()
    .map(
      (name) =>
        `<Container><Name>${name}</Name><Properties><Last-Modified>Mon, 01 Jan 2024 00:00:00 GMT</Last-Modified><Etag>"0x8DC0A5B8F0E4C0A"</Etag>` +
        '<LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState></Properties></Container>',
    );
  response.setHeader('content-type', 'application/xml');
  return done(
    response.writeHead(200),
    `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="http://127.0.0.1/${ACCOUNT}/">` +
      `<Containers>${items.join('')}</Containers><NextMarker/></EnumerationResults>`,
  );
}

/** A page from the marker on, which is the number of a row. A container's rows lie in runs of one directory each. */
function listBlobs(response: ServerResponse, lake: Lake, container: string, query: URLSearchParams): true {
  const prefix = query.get('prefix') ?? '';
  const most = Math.min(PAGE, Number(query.get('maxresults') ?? PAGE));
  const place = CONTAINERS.indexOf(container);
  let row = place < 0 ? lake.rows : Number(query.get('marker') || place * SHARDS);
  const items: string[] = [];
  while (row < lake.rows && items.length < most) {
    const version = versionOf(lake, row, true);
    const name = nameOf(row);
    if (version !== undefined && name.startsWith(prefix)) items.push(item(name, version));
    row = (row + 1) % SHARDS === 0 ? row + 1 + SHARDS * (CONTAINERS.length - 1) : row + 1;
  }
  response.setHeader('content-type', 'application/xml');
  return done(
    response.writeHead(200),
    `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="http://127.0.0.1/${ACCOUNT}/" ContainerName="${container}">` +
      `<Prefix>${xml(prefix)}</Prefix><MaxResults>${most}</MaxResults><Blobs>${items.join('')}</Blobs>` +
      `<NextMarker>${row < lake.rows ? row : ''}</NextMarker></EnumerationResults>`,
  );
}

function item(name: string, { etag, length, modified, md5, blobType, tier, metadata }: Version): string {
  const time = new Date(modified).toUTCString();
  const tags = tagsOf(metadata).map(([tag, value]) => `<${tag}>${xml(value)}</${tag}>`);
  return (
    `<Blob><Name>${xml(name)}</Name><Properties><Creation-Time>${time}</Creation-Time><Last-Modified>${time}</Last-Modified>` +
    `<Etag>${etag}</Etag><Content-Length>${length}</Content-Length><Content-Type>${CONTENT_TYPE}</Content-Type><Content-MD5>${md5}</Content-MD5>` +
    `<BlobType>${blobType}</BlobType><AccessTier>${tier}</AccessTier><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>` +
    `<ServerEncrypted>true</ServerEncrypted></Properties><Metadata>${tags.join('')}</Metadata></Blob>`
  );
}
