import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { blobService } from '../../../activities/azure/blob-service.ts';
import { AzureBlobSource } from '../../../activities/azure/blob-source.ts';
import { ACCOUNT, connectionStringOn } from '../../../infra/local/storage/account.ts';
import { PROPERTIES, pageText } from './page-text.ts';

const { signal } = new AbortController();
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Answers each listing with what is told for it. */
async function source(
  answer: (query: URLSearchParams, container: string, response: ServerResponse) => string | undefined,
) {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://127.0.0.1');
    response.setHeader('content-type', 'application/xml');
    response.setHeader('date', 'Mon, 01 Jan 2024 00:00:09 GMT');
    const text = answer(url.searchParams, url.pathname.slice(`/${ACCOUNT}/`.length), response);
    if (text !== undefined) response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return new AzureBlobSource(blobService({ name: ACCOUNT, connectionString: connectionStringOn(port) }));
}

const blobs = (...names: string[]) => names.map((name) => ({ name, properties: PROPERTIES }));

async function names(pages: AsyncIterable<{ readonly blobs: readonly { readonly name: string }[] }>) {
  const all: string[] = [];
  for await (const page of pages) all.push(...page.blobs.map(({ name }) => name));
  return all;
}

it('a listing goes on at the marker, as it is, and tells the time of the server', async () => {
  const asked: (string | null)[] = [];
  const from = await source((query) => {
    asked.push(query.get('marker'));
    expect(Object.fromEntries(query)).toMatchObject({ maxresults: '5000', include: 'metadata', prefix: 'p/' });
    return asked.length === 1
      ? pageText({ blobs: blobs('p/1'), nextMarker: 'a&b\r=' })
      : pageText({ blobs: blobs('p/2') });
  });
  const pages: unknown[] = [];
  for await (const page of from.listBlobs('c', 'p/', signal)) pages.push(page);
  const time = Date.UTC(2024, 0, 1, 0, 0, 9);
  expect(pages).toMatchObject([
    { blobs: [{ name: 'p/1' }], time },
    { blobs: [{ name: 'p/2' }], time },
  ]);
  expect(asked).toEqual([null, 'a&b\r=']);
});

it('a page that is not whole is asked for again, and is never the end of a listing', async () => {
  const pages = [pageText({ blobs: blobs('1'), nextMarker: '2' }), pageText({ blobs: blobs('2') })] as const;
  const asked: number[] = [];
  const from = await source((query) => {
    const number = query.get('marker') === '2' ? 1 : 0;
    asked.push(number);
    const text = pages[number] ?? '';
    return asked.filter((each) => each === number).length === 1 ? text.slice(0, text.indexOf('<NextMarker')) : text;
  });
  expect(await names(from.listBlobs('c', '', signal))).toEqual(['1', '2']);
  expect(asked).toEqual([0, 0, 1, 1]);
});

it('listings side by side bring each its own names, and an answer that is refused fails one of them alone', async () => {
  const from = await source((query, container, response) => {
    if (container === 'c7') {
      response.writeHead(403, { 'x-ms-error-code': 'AuthorizationFailure' });
      return '<?xml version="1.0"?><Error><Code>AuthorizationFailure</Code><Message>no</Message></Error>';
    }
    const page = Number(query.get('marker') ?? 0);
    const text = pageText({ blobs: blobs(`${container}/${page}`), ...(page < 3 && { nextMarker: String(page + 1) }) });
    setTimeout(() => response.end(text), (Number(container.slice(1)) * 7 + page * 3) % 5);
    return undefined;
  });
  const listed = await Promise.allSettled(
    Array.from({ length: 8 }, (_, lane) => names(from.listBlobs(`c${lane}`, '', signal))),
  );
  for (const [lane, result] of listed.slice(0, 7).entries()) {
    expect(result).toEqual({ status: 'fulfilled', value: [0, 1, 2, 3].map((page) => `c${lane}/${page}`) });
  }
  expect(listed[7]).toMatchObject({ status: 'rejected', reason: { code: 'ISTHMUS_SOURCE_UNAVAILABLE' } });
});

it('an aborted listing ends so', async () => {
  const abort = new AbortController();
  const from = await source(() => {
    abort.abort(new Error('enough'));
    return undefined;
  });
  await expect(names(from.listBlobs('c', '', abort.signal))).rejects.toMatchObject({ name: 'AbortError' });
});
