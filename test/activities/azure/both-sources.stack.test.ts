import { expect, it } from 'vitest';
import { AzureFeedStore } from '../../../activities/azure/azure-feed-store.ts';
import type { FeedStart } from '../../../activities/azure/feed-page.ts';
import { FeedReader } from '../../../activities/azure/feed-reader.ts';
import type { BlobEvent } from '../../../namespace/change.ts';
import { decodeTriggers } from '../../../schema/events/decode.ts';
import { startTestStorage } from '../../infra/storage/test-storage.ts';
import { drainFeed } from './drain-feed.ts';

/** What both sources must say alike of one change. */
const essence = ({ container, name, effect, attributes, sequencer }: BlobEvent) =>
  JSON.stringify([container, name, effect, attributes?.etag, attributes?.length, sequencer]);

it('1: triggers and feed say the same of every change that both tell, through a tail that is torn again and again', async () => {
  await using storage = await startTestStorage({ feed: { segmentMs: 60_000, flushMs: 50 } });
  await storage.control.setFaults({ feed: { tearTail: true } });
  const container = await storage.container('lake');
  const reader = new FeedReader(new AzureFeedStore(storage.account), { source: 'feed' });
  const fed: BlobEvent[] = [];
  let cursor: FeedStart | undefined;
  const tail = async () => {
    const drained = await drainFeed(reader, cursor);
    fed.push(...drained.pages.flatMap(({ events }) => events));
    cursor = drained.cursor;
  };
  for (let at = 0; at < 40; at++) {
    const blob = container.getBlockBlobClient(`dir/na me %${at % 7}`);
    const what = at % 5;
    if (what === 3) await blob.deleteIfExists();
    else await blob.upload('x'.repeat(at), at);
    if (at % 4 === 0) await tail();
  }
  await container.getAppendBlobClient('appended').create();
  await storage.control.clearFaults();
  await storage.settled();
  await tail();
  const triggered = storage.events
    .flatMap((event) => decodeTriggers(event).read)
    .flatMap((each) => (each.kind === 'event' ? [each.event] : []));
  expect(triggered.length).toBeGreaterThan(35);
  expect(fed.map(essence).sort()).toEqual(triggered.map(essence).sort());
  expect(fed.every((event) => event.epoch !== undefined)).toBe(true);
});
