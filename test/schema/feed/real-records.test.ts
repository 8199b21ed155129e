import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { FeedReader } from '../../../activities/azure/feed-reader.ts';
import { FolderFeedStore } from '../../../activities/azure/folder-feed-store.ts';
import { parseBlock } from '../../../schema/feed/avro-block.ts';
import { parseHeader } from '../../../schema/feed/avro-header.ts';
import { prune } from '../../../schema/feed/pruned-type.ts';
import { readRecord } from '../../../schema/feed/record.ts';
import { decodeBlock, decodeUsedFields, recordType } from '../../../schema/feed/record-type.ts';
import { drainFeed } from '../../activities/azure/drain-feed.ts';
import { hasRealData, REAL_DATA } from '../../support/real-data.ts';

const position = { path: 'log/00/2020/05/12/2200/00000.avro', offset: 10, index: 2 };

async function totals(feed: string) {
  const store = await FolderFeedStore.open(join(REAL_DATA, 'changefeed', feed));
  const sum = { records: 0, events: 0, ignored: 0, without: { sequencer: 0, epoch: 0, values: 0 } };
  for (const page of (await drainFeed(new FeedReader(store, { source: 'replay', graceMs: 0 }))).pages) {
    sum.records += page.records;
    sum.events += page.events.length;
    sum.ignored += Object.values(page.ignored).reduce((a, b) => a + b, 0);
    for (const event of page.events) {
      if (event.sequencer === undefined) sum.without.sequencer++;
      if (event.epoch === undefined) sum.without.epoch++;
      if (event.effect !== 'delete' && event.attributes === undefined) sum.without.values++;
    }
  }
  return sum;
}

interface Raw {
  readonly subject: string;
  readonly eventType: string;
  readonly eventTime: string;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What a record says, read from the bytes by nothing of ours. */
function essenceOf({ subject, eventTime, id, data }: Raw): string {
  const [, container = '', name = ''] =
    /^\/blobServices\/default\/containers\/([^/]+)\/blobs\/(.*)$/s.exec(subject) ?? [];
  const hex = (value: unknown, digits: number) =>
    typeof value === 'string' ? value.toLowerCase().padStart(digits, '0') : undefined;
  const sequencer = hex(data.sequencer, 48);
  return JSON.stringify([
    container,
    name,
    id,
    Date.parse(eventTime),
    data.api,
    sequencer,
    hex(data.containerVersion, 16),
  ]);
}

describe.skipIf(!hasRealData).each(['java-2020-06', 'js-stage-2020-06'])('the recorded feed %s', (name) => {
  const root = join(REAL_DATA, 'changefeed', name);

  it('1: gives the events that an independent decoder finds in the bytes, every one once and in their order', async () => {
    const store = await FolderFeedStore.open(root);
    const { pages } = await drainFeed(new FeedReader(store, { source: 'feed', graceMs: 0, sliceBytes: 10_000 }));
    const chunks = new Set(pages.map(({ to }) => to.chunk));
    const said: string[] = [];
    const values: unknown[] = [];
    for (const chunk of globSync(join(root, '**/*.avro')).sort()) {
      const records: Raw[] = [];
      for await (const record of avro.createFileDecoder(chunk)) records.push(record);
      if (records.length > 0) expect(chunks).toContain(chunk.slice(chunk.indexOf('/log/') + 1));
      for (const record of records) {
        if (record.eventType === 'BlobSnapshotCreated' || record.subject.includes('/containers/$logs/')) continue;
        said.push(essenceOf(record));
        if (record.eventType !== 'BlobDeleted') values.push([record.data.etag, record.data.contentLength]);
      }
    }
    const events = pages.flatMap((page) => page.events);
    expect(
      events.map(({ container, name, eventId, time, api, sequencer, epoch }) =>
        JSON.stringify([container, name, eventId, time, api, sequencer, epoch]),
      ),
    ).toEqual(said);
    const read = events.flatMap(({ attributes }) =>
      attributes === undefined ? [] : [[attributes.etag, attributes.length]],
    );
    expect(read).toEqual(values);
  });

  it('1: says the same in the fields that are used, whether they are decoded alone or with all others', async () => {
    for (const chunk of globSync(join(root, '**/*.avro'))) {
      const bytes = readFileSync(chunk);
      const header = parseHeader(chunk, bytes);
      if (header === 'torn') continue;
      expect(prune(recordType(chunk, header))).toBeDefined();
      for (let at = header.length; at < bytes.length; ) {
        const block = parseBlock(chunk, header, bytes, at, 0);
        if (block === 'torn') throw new Error(`${chunk} is torn`);
        const change = (record: unknown) => readRecord(record, position, 'feed');
        expect(decodeUsedFields(chunk, header, block).map(change)).toEqual(
          decodeBlock(chunk, header, block).map(({ record }) => change(record)),
        );
        at = block.next;
      }
    }
  });
});

describe.skipIf(!hasRealData)('the recorded feeds', () => {
  it('are read to the last record, in every schema version', async () => {
    const java = await totals('java-2020-06');
    const stage = await totals('js-stage-2020-06');
    expect(java.records + stage.records).toBe(3_518);
    expect(java).toMatchObject({ events: java.records - java.ignored, without: { sequencer: 0, epoch: 0, values: 0 } });
    // Schema 1 has no containerVersion.
    expect(stage.without).toEqual({ sequencer: 0, epoch: 492, values: 0 });
  });

  it('have one sample of every kind, which means what it should', () => {
    const path = join(REAL_DATA, 'changefeed/schemas/decoded-record-samples.json');
    const samples: Record<string, unknown> = JSON.parse(readFileSync(path, 'utf8'));
    const effects = Object.entries(samples).map(([title, sample]) => {
      const { change } = readRecord(sample, position, 'feed');
      return [title, 'ignored' in change ? `ignored ${change.ignored}` : `${change.effect} ${change.attributes?.etag}`];
    });
    expect(Object.fromEntries(effects)).toMatchInlineSnapshot(`
      {
        "v1 BlobCreated/PutBlob/BlockBlob": "put 0x8D79ACC27805773",
        "v1 BlobDeleted/DeleteBlob/BlockBlob": "delete undefined",
        "v3 BlobCreated/PutBlob/BlockBlob": "put 0x8D7CF75B1EFD137",
        "v4 BlobAsyncOperationInitiated/SetBlobTier/BlockBlob": "touch 0x8D83E58F49ECC69",
        "v4 BlobCreated/CopyBlob/BlockBlob": "put 0x8D7F6C473348BBA",
        "v4 BlobCreated/PutBlob/AppendBlob": "touch 0x8D7F6C42F56F0BE",
        "v4 BlobCreated/PutBlob/BlockBlob": "put 0x8D7F6C41FD1C6C8",
        "v4 BlobCreated/PutBlob/PageBlob": "touch 0x8D7F6C461C8670C",
        "v4 BlobCreated/PutBlockList/BlockBlob": "put 0x8D7F6C465E7B1B1",
        "v4 BlobCreated/UndeleteBlob/BlockBlob": "touch 0x8D7F6C498D51F71",
        "v4 BlobDeleted/DeleteBlob/BlockBlob": "delete undefined",
        "v4 BlobPropertiesUpdated/SetBlobMetadata/BlockBlob": "touch 0x8D7F6C48528B5F5",
        "v4 BlobPropertiesUpdated/SetBlobProperties/BlockBlob": "touch 0x8D7F6C4853DEF8C",
        "v4 BlobSnapshotCreated/SnapshotBlob/BlockBlob": "ignored snapshot",
        "v4 BlobSnapshotCreated/SnapshotBlob/PageBlob": "ignored snapshot",
        "v4 BlobTierChanged/SetBlobTier/BlockBlob": "put 0x8D83E5905E94F24",
      }
    `);
  });
});
