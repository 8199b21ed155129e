import { AnonymousCredential, type BlobItem, BlobServiceClient } from '@azure/storage-blob';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listedPage } from '../../../activities/azure/listed-page.ts';
import { PROPERTIES, pageText, type WrittenBlob } from './page-text.ts';

/** A name of Blob Storage's, of any characters, half of them such as XML has its own use for. */
const anyName = fc
  .array(
    fc.oneof(fc.string({ unit: 'binary', maxLength: 4 }), fc.constantFrom('&', '<', ']]>', '%41', '"', ' ', '\r\n')),
    {
      minLength: 1,
      maxLength: 8,
    },
  )
  .map((parts) => parts.join(''))
  .filter((name) => name !== '' && name.isWellFormed());

/** What Azure's client reads rightly, too: it leaves references by number as they are written. */
const plainText = fc
  .string({ unit: 'binary', maxLength: 8 })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: They are what XML cannot hold.
  .map((text) => text.replace(/[\0-\x1f\ufffe\uffff]/g, '&<'))
  .filter((text) => text.isWellFormed());

const anyBlob: fc.Arbitrary<WrittenBlob> = fc.record(
  {
    name: anyName.filter((name) => !name.includes('\r')),
    properties: fc
      .record(
        {
          'Content-Type': plainText,
          'Content-MD5': fc
            .uint8Array({ minLength: 16, maxLength: 16 })
            .map((md5) => Buffer.from(md5).toString('base64')),
          BlobType: fc.constantFrom('BlockBlob', 'AppendBlob', 'PageBlob'),
          AccessTier: fc.constantFrom('Hot', 'Cool', 'Archive', ''),
          ResourceType: fc.constantFrom('file', 'directory'),
          LeaseState: fc.constant('available'),
          'Content-Length': fc.maxSafeNat().map(String),
        },
        { requiredKeys: [] },
      )
      .map((properties) => ({ ...PROPERTIES, ...properties })),
    metadata: fc.uniqueArray(fc.tuple(fc.stringMatching(/^[A-Za-z_][\w.-]{0,12}$/), plainText), {
      selector: ([tag]) => tag.toLowerCase(),
      maxLength: 4,
    }),
  },
  { requiredKeys: ['name', 'properties'] },
);

/** What Azure's own client makes of the same text. */
async function asTheClientReads(text: string) {
  const service = new BlobServiceClient('http://127.0.0.1/acme', new AnonymousCredential(), {
    httpClient: {
      async sendRequest(request) {
        const headers = request.headers.clone();
        headers.set('content-type', 'application/xml');
        return { request, status: 200, headers, bodyAsText: text };
      },
    },
  });
  const pages = service.getContainerClient('c').listBlobsByHierarchy('/', { includeMetadata: true }).byPage();
  const { value } = await pages.next();
  return {
    blobs: value.segment.blobItems.map(({ name, properties, metadata }: BlobItem) => ({
      name,
      attributes: {
        etag: properties.etag,
        length: properties.contentLength,
        blobType: properties.blobType,
        contentType: properties.contentType || undefined,
        md5: properties.contentMD5 && Buffer.from(properties.contentMD5).toString('base64'),
        lastModified: properties.lastModified.getTime(),
        tier: properties.accessTier || undefined,
        metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([tag, said]) => [tag.toLowerCase(), said])),
      },
    })),
    prefixes: (value.segment.blobPrefixes ?? []).map(({ name }: { name: string }) => name),
    nextMarker: value.continuationToken,
  };
}

const full = pageText({
  blobs: [
    {
      name: 'Blobs/</Blobs>',
      properties: { ...PROPERTIES, 'Content-MD5': '', ResourceType: 'file' },
      metadata: [
        ['Blobs', 'NextMarker'],
        ['empty', ''],
      ],
    },
    { name: 'a\u0001b', properties: PROPERTIES, metadata: [] },
  ],
  prefixes: ['d/', 'e\u0001/'],
  nextMarker: '2!92!MDAwMDE5',
});

describe('a page of a listing', () => {
  it('brings any name as it is, whatever XML makes of it', () => {
    fc.assert(
      fc.property(fc.array(anyName, { maxLength: 5 }), fc.array(anyName, { maxLength: 3 }), (names, prefixes) => {
        const page = listedPage(pageText({ blobs: names.map((name) => ({ name, properties: PROPERTIES })), prefixes }));
        expect(page.blobs.map(({ name }) => name)).toEqual(names);
        expect(page.prefixes).toEqual(prefixes);
        expect(page.nextMarker).toBe('');
      }),
    );
  });

  it("is read as Azure's own client reads it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyBlob, { maxLength: 4 }),
        fc.array(plainText),
        plainText,
        async (blobs, starts, nextMarker) => {
          const text = pageText({ blobs, prefixes: starts.map((start) => `${start}/`), nextMarker });
          expect(listedPage(text)).toEqual(await asTheClientReads(text));
        },
      ),
    );
  });

  it('has blobs without what Azure writes as an empty element', () => {
    const properties = { ...PROPERTIES, 'Content-Type': '', 'Content-MD5': '', AccessTier: '' };
    const { blobs } = listedPage(pageText({ blobs: [{ name: 'a', properties }] }));
    const lastModified = Date.parse(PROPERTIES['Last-Modified']);
    expect(blobs).toStrictEqual([
      { name: 'a', attributes: { etag: PROPERTIES.Etag, length: 12, lastModified, metadata: {} } },
    ]);
  });

  it('is never read where it is cut off, wherever that be', () => {
    expect(listedPage(full)).toMatchObject({
      blobs: [{}, {}],
      prefixes: ['d/', 'e\u0001/'],
      nextMarker: '2!92!MDAwMDE5',
    });
    for (let end = 0; end < full.length; end++) {
      expect(() => listedPage(full.slice(0, end)), full.slice(0, end)).toThrow(/, at \d+ of \d+$/);
    }
  });

  it('is never read where a part of it is missing between two tags', () => {
    const tags = [...full.matchAll(/<[^>]*>/g)].map(({ index }) => index).slice(2);
    const whole = listedPage(full);
    for (const from of tags) {
      // Up to the end, as where two answers were mixed up; what still reads must have the same blobs.
      const text = full.slice(0, from) + full.slice(full.lastIndexOf('</EnumerationResults>'));
      let read: unknown;
      try {
        read = listedPage(text);
      } catch {
        continue;
      }
      expect(read).toEqual(whole);
    }
  });

  it.each([
    ['no page', '<html><body>Sign in</body></html>'],
    ['an error', '<?xml version="1.0"?><Error><Code>ServerBusy</Code></Error>'],
    ['two pages', full + full],
    ['no marker', full.replace(/<NextMarker>.*<\/NextMarker>/, '')],
    ['entities of its own', full.replace('utf-8"?>', 'utf-8"?><!DOCTYPE a [<!ENTITY b "c">]>')],
    [
      'half a character',
      pageText({ prefixes: ['&'] })
        .replace('&amp;/', '&#xD800;/')
        .replace('<Name>&amp;', '<Name>&#xD800;'),
    ],
    ['a name that is encoded wrongly', pageText({ prefixes: ['\u0001'] }).replace('%01', '%FF')],
    [
      'a blob without a name',
      pageText({ blobs: [{ name: 'a', properties: PROPERTIES }] }).replace('<Name>a</Name>', ''),
    ],
    ['a blob without an ETag', pageText({ blobs: [{ name: 'a', properties: { ...PROPERTIES, Etag: '' } }] })],
    [
      'a length that is none',
      pageText({ blobs: [{ name: 'a', properties: { ...PROPERTIES, 'Content-Length': '1e' } }] }),
    ],
  ])('is refused where it is or has %s', (_what, text) => {
    expect(() => listedPage(text)).toThrow(/, at \d+ of \d+$/);
  });
});
