import { createHash } from 'node:crypto';
import { type BlobServiceClient, BlockBlobClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AzureBlobSource } from '../../../activities/azure/blob-source.ts';
import { testAzurite } from './test-azurite.ts';

const signal = new AbortController().signal;
const md5 = (text: string) => createHash('md5').update(text).digest('base64');

/** Writes under any name, past what a URL parser does to dots. */
async function write(service: BlobServiceClient, name: string, text: string) {
  const container = service.getContainerClient('odd');
  const blob = new BlockBlobClient(`${container.url}/${encodeURIComponent(name)}`, container.credential);
  return blob.upload(text, Buffer.byteLength(text), {
    blobHTTPHeaders: { blobContentType: 'text/plain' },
    metadata: { Owner: 'me' },
  });
}

async function read(body: Promise<AsyncIterable<Uint8Array>>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of await body) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

describe('the blobs of an account', () => {
  let azurite: Awaited<ReturnType<typeof testAzurite>>;
  let source: AzureBlobSource;

  beforeAll(async () => {
    azurite = await testAzurite();
    source = new AzureBlobSource(azurite.service);
    await azurite.service.getContainerClient('odd').create();
    await azurite.service.getContainerClient('$blobchangefeed').create();
  });
  afterAll(() => azurite[Symbol.asyncDispose]());

  const names = [
    'a/b',
    'a//b',
    'a/../z',
    'z',
    './q',
    'x/.',
    '%41',
    'a?b',
    'a#b',
    'a b',
    'a+b',
    '/lead',
    'trail/',
    '\u00e9',
    'e\u0301',
  ];

  it.each(names)('are looked at by their exact name: %j', async (name) => {
    const { etag, lastModified } = await write(azurite.service, name, name);
    const before = Date.now();
    const look = await source.look({ container: 'odd', name }, signal);
    const after = Date.now();
    expect(look).toEqual({
      kind: 'found',
      time: expect.any(Number),
      attributes: {
        etag: etag?.replaceAll('"', ''),
        length: Buffer.byteLength(name),
        blobType: 'BlockBlob',
        contentType: 'text/plain',
        md5: md5(name),
        lastModified: lastModified?.getTime(),
        tier: 'Hot',
        metadata: { owner: 'me' },
      },
    });
    // The service tells its time in whole seconds.
    expect(look.time).toBeGreaterThan(before - 1_000);
    expect(look.time).toBeLessThanOrEqual(after);
    expect(await source.readText({ container: 'odd', name }, signal)).toBe(name);
  });

  it('7: are absent, or their container is, only where the service says so', async () => {
    expect(await source.look({ container: 'odd', name: 'nothing/../here' }, signal)).toMatchObject({ kind: 'absent' });
    expect(await source.look({ container: 'none', name: 'x' }, signal)).toMatchObject({ kind: 'container-gone' });
    await expect(source.look({ container: 'odd', name: '..' }, signal)).rejects.toMatchObject({
      code: 'ISTHMUS_SOURCE_UNAVAILABLE',
    });
  });

  it('are listed as a look finds them, without the system containers', async () => {
    const listed = new Map<string, unknown>();
    for await (const page of source.listBlobs('odd', '', signal)) {
      for (const { name, attributes } of page.blobs) listed.set(name, attributes);
    }
    expect([...listed.keys()].sort()).toEqual([...names].sort());
    for (const [name, attributes] of listed) {
      expect(await source.look({ container: 'odd', name }, signal)).toMatchObject({ attributes });
    }
    const containers: string[] = [];
    for await (const page of source.listContainers(signal)) containers.push(...page.containers);
    expect(containers).toEqual(['odd']);
    const none: unknown[] = [];
    for await (const page of source.listBlobs('none', '', signal)) none.push(page);
    expect(none).toEqual([]);
  });

  it('are listed directory by directory as they are listed in one, each once', async () => {
    const listed: string[] = [];
    const waiting = [''];
    for (let prefix = waiting.pop(); prefix !== undefined; prefix = waiting.pop()) {
      for await (const { blobs, prefixes } of source.listDirectory('odd', prefix, signal)) {
        listed.push(...blobs.map(({ name }) => name));
        waiting.push(...prefixes);
      }
    }
    expect(listed.sort()).toEqual([...names].sort());
    const none: unknown[] = [];
    for await (const page of source.listDirectory('none', '', signal)) none.push(page);
    expect(none).toEqual([]);
  });

  it('12: are read by range, bound to their version', async () => {
    const { etag = '' } = await write(azurite.service, 'ranges', '0123456789');
    const key = { container: 'odd', name: 'ranges' };
    const version = etag.replaceAll('"', '');
    expect(await read(source.readRange(key, { etag: version, offset: 2, length: 5 }, signal))).toBe('23456');
    expect(await read(source.readRange(key, { etag: version, offset: 0, length: 0 }, signal))).toBe('');
    await expect(read(source.readRange(key, { etag: version, offset: 8, length: 5 }, signal))).rejects.toMatchObject({
      code: 'ISTHMUS_SOURCE_UNAVAILABLE',
    });
    await write(azurite.service, 'ranges', 'changed');
    for (const length of [0, 5]) {
      await expect(read(source.readRange(key, { etag: version, offset: 0, length }, signal))).rejects.toMatchObject({
        code: 'ISTHMUS_SOURCE_CHANGED',
      });
    }
    expect(await source.readText({ container: 'odd', name: 'absent' }, signal)).toBeUndefined();
  });

  it('are not its directories, which an account with a hierarchical namespace lists among them', async () => {
    const container = azurite.service.getContainerClient('directories');
    await container.create();
    const metadata = { hdi_isfolder: 'true' };
    await container.getBlockBlobClient('d').upload('', 0, { metadata });
    await container.getBlockBlobClient('d/a').upload('a', 1);
    const listed = async (from: AzureBlobSource) => {
      const found: string[] = [];
      for await (const { blobs } of from.listBlobs('directories', '', signal)) {
        found.push(...blobs.map(({ name }) => name));
      }
      return found;
    };
    const hierarchical = new AzureBlobSource(azurite.service, { hierarchical: true });
    const key = { container: 'directories', name: 'd' };
    expect(await listed(hierarchical)).toEqual(['d/a']);
    expect((await hierarchical.look(key, signal)).kind).toBe('absent');
    // On a flat one it is a blob that some client wrote in place of a directory.
    expect(await listed(source)).toEqual(['d', 'd/a']);
    expect((await source.look(key, signal)).kind).toBe('found');
  });
});
