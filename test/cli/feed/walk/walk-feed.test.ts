import { expect, it } from 'vitest';
import { type Met, walkFeed } from '../../../../cli/feed/walk/walk-feed.ts';
import { avroBlock, avroHeader, feedRecord, MemoryFeed } from '../../../activities/azure/memory-feed.ts';

const signal = new AbortController().signal;

async function walk(store: MemoryFeed, isCopy: boolean): Promise<readonly Met[]> {
  const met: Met[] = [];
  for await (const each of walkFeed({ store, isCopy }, {}, signal)) met.push(each);
  return met;
}

/** A finished segment with one chunk that is empty. */
function emptyChunk() {
  const feed = new MemoryFeed();
  feed.segment(0, 'Finalized');
  const path = `${feed.shard(0)}00000.avro`;
  feed.append(path);
  return { feed, path };
}

it('an empty chunk of a finished segment is damage of a copy, and may be in an account', async () => {
  const { feed, path } = emptyChunk();
  expect((await walk(feed, true)).at(-1)).toMatchObject({ kind: 'broken', path, offset: 0 });
  expect((await walk(feed, false)).at(-1)).toMatchObject({ kind: 'note', path });
});

it('a chunk that was listed empty and read with bytes holds something', async () => {
  for (const isCopy of [false, true]) {
    const { feed, path } = emptyChunk();
    feed.onAsk = (asked) => {
      if (asked === `range ${path}`) feed.files.set(path, Buffer.concat([avroHeader(), avroBlock([feedRecord(1)])]));
    };
    expect((await walk(feed, isCopy)).map(({ kind }) => kind)).toEqual(['segment', 'chunk', 'block']);
  }
});
