import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { FeedReader } from '../../../activities/azure/feed-reader.ts';
import { drainFeed } from '../../activities/azure/drain-feed.ts';
import { MemoryFeed } from '../../activities/azure/memory-feed.ts';
import { hasRealData, REAL_DATA } from '../../support/real-data.ts';
import { chunkOf } from './chunk-of.ts';
import { schemaOf, V4, VERSIONS } from './schema-versions.ts';

/** What each event type means where everything else says that a block blob was put. */
const MEANING: Readonly<Record<string, string>> = {
  UnspecifiedEventType: 'touch',
  BlobCreated: 'put',
  BlobDeleted: 'delete',
  BlobMetadataUpdated: 'touch',
  Control: 'ignored control',
  BlobPropertiesUpdated: 'touch',
  BlobSnapshotCreated: 'ignored snapshot',
  BlobTierChanged: 'put',
  BlobAsyncOperationInitiated: 'touch',
  RestorePointMarkerCreated: 'ignored restore-point',
  AppendBlobDataUpdated: 'touch',
  BlobLastAccessTimeUpdated: 'ignored access-time',
  ContainerCreated: 'ignored no-blob',
  ContainerDeleted: 'ignored no-blob',
  ContainerPropertiesUpdated: 'ignored no-blob',
  BlobTeleported: 'touch',
};

function recordOf(version: number, eventType: string, name = `of ${eventType}`, more = {}) {
  const container = '/blobServices/default/containers/lake';
  return {
    schemaVersion: version,
    topic: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a',
    subject: eventType.startsWith('Container') ? container : `${container}/blobs/${name}`,
    eventType,
    eventTime: '2026-11-21T15:16:17.1234567Z',
    id: `id of ${eventType}`,
    data: {
      api: eventType === 'Control' ? 'ControlEvent' : 'PutBlob',
      clientRequestId: 'mine',
      requestId: '831e1650-001e-001b-66ab-eeb76e000000',
      etag: '0x8D9F2171BE32588',
      contentType: 'application/octet-stream',
      contentLength: 4_398_046_511_104,
      blobType: 'BlockBlob',
      url: '',
      sequencer: '0000000000000000000000000000404C0000000001237a9b',
      storageDiagnostics: { bid: 'b', seq: '(16460,0,19102363,0)' },
      previousInfo: { SoftDeleteSnapshot: '2026-11-21T15:16:17.1234567Z', WasBlobSoftDeleted: 'true' },
      snapshot: eventType === 'BlobSnapshotCreated' ? '2026-11-21T15:16:17.1234567Z' : null,
      blobPropertiesUpdated: { ContentType: { current: 'text/plain', previous: '' } },
      blobVersion: null,
      containerVersion: '01D628ACFCF04929',
      blobTier: eventType === 'BlobTierChanged' ? 'Cool' : null,
      asyncOperationInfo: { DestinationTier: 'Hot' },
      blobTagsUpdated: { previous: { a: '1' }, current: {} },
      restorePointMarker: { rpi: 'i', rpp: 'p', rpl: 'l', rpt: 't' },
      contentOffset: 512,
      createTime: '2026-11-21T15:16:17.1234567Z',
      lastAccessTime: '2026-11-21T15:16:17.1234567Z',
      restoredContainerVersion: null,
      tagsBefore: null,
      numbers: [null, 1.5, Buffer.from('x')],
      digest: Buffer.alloc(16),
      ...more,
    },
  };
}

async function meaningsOf(schema: avro.Schema, records: readonly unknown[], codec: 'null' | 'deflate' = 'null') {
  const feed = new MemoryFeed();
  feed.segment(0, 'A word that nobody knows');
  feed.append(`${feed.shard(0)}00000.avro`, chunkOf(schema, records, { codec }));
  const { pages, caughtUp } = await drainFeed(new FeedReader(feed, { source: 'feed' }));
  expect(caughtUp).toBe(true);
  const [page] = pages;
  if (page === undefined || pages.length > 1) throw new Error('expected one page');
  return page;
}

function eventTypesOf(schema: { fields: { name: string; type: { symbols?: string[] } }[] }): readonly string[] {
  return schema.fields.find(({ name }) => name === 'eventType')?.type.symbols ?? [];
}

describe.each([...VERSIONS])('schema version %i', (version, words) => {
  it.each(['null', 'deflate'] as const)('1: has a record of every event type read, in codec %s', async (codec) => {
    const records = words.events.map((eventType) => recordOf(version, eventType));
    const page = await meaningsOf(schemaOf(words), records, codec);
    const read = Object.fromEntries(page.events.map(({ eventId, effect }) => [eventId.slice('id of '.length), effect]));
    const expected = words.events.map((event) => [event, MEANING[event] ?? 'none']);
    expect(read).toEqual(Object.fromEntries(expected.filter(([, meaning]) => !meaning?.startsWith('ignored'))));
    const ignored: Record<string, number> = {};
    for (const [, meaning = ''] of expected) {
      const reason = meaning.startsWith('ignored ') ? meaning.slice('ignored '.length) : undefined;
      if (reason !== undefined) ignored[reason] = (ignored[reason] ?? 0) + 1;
    }
    expect(page.ignored).toEqual(ignored);
    expect(page.byType).toEqual(Object.fromEntries(words.events.map((event) => [event, 1])));
    expect(page.records).toBe(words.events.length);
  });

  it('1: gives every value that a change has', async () => {
    const page = await meaningsOf(schemaOf(words), [recordOf(version, 'BlobCreated')]);
    expect(page.events).toEqual([
      {
        kind: 'event',
        source: 'feed',
        container: 'lake',
        name: 'of BlobCreated',
        effect: 'put',
        attributes: {
          etag: '0x8D9F2171BE32588',
          length: 4_398_046_511_104,
          blobType: 'BlockBlob',
          contentType: 'application/octet-stream',
        },
        sequencer: '0000000000000000000000000000404c0000000001237a9b',
        epoch: version < 4 ? undefined : '01d628acfcf04929',
        time: Date.UTC(2026, 10, 21, 15, 16, 17, 123),
        eventId: 'id of BlobCreated',
        api: 'PutBlob',
      },
    ]);
  });

  if (version >= 4) {
    it("tells the delete of one version from the blob's own, and names the tier", async () => {
      const page = await meaningsOf(schemaOf(words), [
        recordOf(version, 'BlobDeleted', 'one version', { blobVersion: '2026-11-21T15:16:17.1234567Z' }),
        recordOf(version, 'BlobDeleted', 'the blob'),
        recordOf(version, 'BlobTierChanged', 'cooled'),
      ]);
      expect(page.events.map(({ effect, attributes }) => [effect, attributes?.tier])).toEqual([
        ['touch', undefined],
        ['delete', undefined],
        ['put', 'Cool'],
      ]);
    });
  }

  it('takes words that nobody knows for a reason to look', async () => {
    const page = await meaningsOf(schemaOf(words), [
      recordOf(version, 'BlobCreated', 'new type of blob', { blobType: 'NewBlob' }),
      recordOf(version, 'BlobCreated', 'no api', { api: 'UnspecifiedApi' }),
    ]);
    expect(page.events.map(({ effect }) => effect)).toEqual(['touch', 'touch']);
  });
});

describe.skipIf(!hasRealData)('the recorded schemas', () => {
  it.each([1, 3, 4])('1: version %i has a record of every event type read', async (version) => {
    const text = readFileSync(join(REAL_DATA, 'changefeed', 'schemas', `v${version}-schema.json`), 'utf8');
    const schema = JSON.parse(text);
    const events = eventTypesOf(schema);
    expect(new Set(events)).toEqual(new Set(VERSIONS.get(version)?.events));
    const page = await meaningsOf(
      schema,
      events.map((event) => recordOf(version, event)),
    );
    expect(page.byType).toEqual(Object.fromEntries(events.map((event) => [event, 1])));
  });
});

describe('a name in the feed', () => {
  const scripts: readonly (readonly [string, string])[] = [
    ['Latin', 'a'],
    ['Latin beyond ASCII', 'ß'],
    ['Cyrillic', 'я'],
    ['Arabic', 'ع'],
    ['Devanagari', 'ह'],
    ['Han', '漢'],
    ['Hangul', '한'],
    ['combined accents', 'e\u0301'],
    ['composed accents', '\u00e9'],
    ['emoji', '\u{1f600}'],
    ['overrides of direction', '\u202e'],
    ['the last code point', '\u{10ffff}'],
  ];
  const long = scripts.map(
    ([script, letter]) => [`1,024 characters of ${script}`, letter.repeat(1_024 / letter.length)] as const,
  );
  const odd = [
    ['/blobs/ inside', 'a/blobs/b'],
    ['/blobs/ alone', '/blobs/'],
    ['a trailing slash', 'trailing/'],
    ['an empty component', 'a//b'],
    ['escapes that are none', '%2F%2f'],
    ['the marks of a URL', 'a?b=c&d#e'],
    ['quotes', `"double" 'single' \`back\``],
    ['newlines', 'line\nfeed\r\n\ttab'],
    ['spaces at its ends', ' leading and trailing '],
    ['a dot', '.'],
    ['dots', '../..'],
    ['a backslash', '\\'],
    ['controls', '\u0001\u001f\u007f'],
    ['a byte order mark', '\ufeff'],
  ] as const;

  it.each([...long, ...odd])('1: is what the record says, raw: %s', async (_what, name) => {
    const page = await meaningsOf(schemaOf(V4), [recordOf(4, 'BlobCreated', name)]);
    expect(page.events.map((event) => [event.container, event.name])).toEqual([['lake', name]]);
  });

  it('10: is refused, and named, where the index could not hold it', async () => {
    const page = await meaningsOf(schemaOf(V4), [
      recordOf(4, 'BlobCreated', 'nul \u0000'),
      recordOf(4, 'BlobCreated', 'good'),
    ]);
    expect(page.events.map(({ name }) => name)).toEqual(['good']);
    expect(page.refused).toMatchObject([{ reason: 'unstorable-name', eventId: 'id of BlobCreated' }]);
    expect(page.ignored).toEqual({ 'unstorable-name': 1 });
  });
});
