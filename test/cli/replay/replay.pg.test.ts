import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { FolderFeedStore } from '../../../activities/azure/folder-feed-store.ts';
import { replayFeed } from '../../../cli/replay/replay.ts';
import { testIndex } from '../../support/postgres.ts';
import { hasRealData, REAL_DATA } from '../../support/real-data.ts';

interface Rec {
  subject: string;
  eventType: string;
  eventTime: string;
  data: { sequencer: string; containerVersion?: string | null; etag: string; contentLength: number };
}

/** The truth, folded from the bytes by nothing of ours: the highest epoch, then the highest sequencer, has the last word. */
async function foldByHand(feed: string) {
  const records: Rec[] = [];
  for (const path of globSync(join(feed, '**/*.avro')).sort()) {
    for await (const record of avro.createFileDecoder(path)) records.push(record);
  }
  const hex = (text: string | null | undefined, digits: number) => (text ?? '').toLowerCase().padStart(digits, '0');
  const newest = new Map<string, string>();
  const last = new Map<string, { clock: string; epoch: string; container: string; time: number; record: Rec }>();
  for (const record of records) {
    const container = record.subject.split('/')[4] ?? '';
    if (record.eventType === 'BlobSnapshotCreated' || container === '$logs') continue;
    const epoch = hex(record.data.containerVersion, 16);
    const clock = epoch + hex(record.data.sequencer, 48);
    const name = record.subject.slice(record.subject.indexOf('/blobs/') + 7);
    const key = `${container}/${name}`;
    if (epoch > (newest.get(container) ?? '')) newest.set(container, epoch);
    if (clock > (last.get(key)?.clock ?? '')) {
      last.set(key, { clock, epoch, container, time: Date.parse(record.eventTime), record });
    }
  }
  const created = (epoch: string) => Number(BigInt(`0x${epoch}`) / 10_000n) - 11_644_473_600_000;
  const live = [...last].filter(([, { record, epoch, container, time }]) => {
    const incarnation = newest.get(container) ?? '';
    // Records before schema 4 have no epoch; their time tells which incarnation they speak of.
    const current = Number(`0x${epoch}`) === 0 ? time >= created(incarnation) - 15_000 : epoch === incarnation;
    return record.eventType !== 'BlobDeleted' && current;
  });
  live.sort(([a], [b]) => Buffer.compare(Buffer.from(a.replace('/', '\u0000')), Buffer.from(b.replace('/', '\u0000'))));
  const sha256 = createHash('sha256');
  let bytes = 0;
  for (const [key, { record }] of live) {
    sha256.update(`${key}\u0000${record.data.etag.replaceAll('"', '')}\u0000${record.data.contentLength}\n`);
    bytes += record.data.contentLength;
  }
  const digest = { entries: live.length, bytes, sha256: sha256.digest('hex') };
  return { records: records.length, live: live.length, tombstones: last.size - live.length, digest };
}

describe.skipIf(!hasRealData).each(['java-2020-06', 'js-stage-2020-06'])('the recorded feed %s', (name) => {
  const feed = join(REAL_DATA, 'changefeed', name);

  it('1: is replayed to what its bytes say, and a second replay changes nothing', async () => {
    await using db = await testIndex();
    const options = { signal: new AbortController().signal };
    const first = await replayFeed(db.index, await FolderFeedStore.open(feed), 'recorded', options);
    const truth = await foldByHand(feed);
    expect(first).toMatchObject(truth);
    const accounted = Object.values(first.ignored).reduce((a, b) => a + b, first.applied + first.superseded);
    expect(accounted).toBe(first.records);
    expect(Object.values(first.byType).reduce((a, b) => a + b, 0)).toBe(first.records);

    const second = await replayFeed(db.index, await FolderFeedStore.open(feed), 'recorded', options);
    expect(second).toMatchObject({ ...truth, applied: 0 });
  });
});
