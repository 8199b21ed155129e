import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FolderFeedStore } from '../../../activities/azure/folder-feed-store.ts';
import { exitCodeOfShow } from '../../../cli/commands/feed-show.ts';
import { readFederation } from '../../../cli/environment.ts';
import { collectShow } from '../../../cli/feed/show/collect-show.ts';
import { formatShow } from '../../../cli/feed/show/format-show.ts';
import { IsthmusError } from '../../../schema/errors.ts';
import { FeedUnavailableError } from '../../../schema/feed/feed-error.ts';
import { ensureAccount } from '../../../schema/index/accounts.ts';
import { setCursor } from '../../../schema/index/feed-cursors.ts';
import { noteGap } from '../../../schema/index/feed-gaps.ts';
import { noteSkip } from '../../../schema/index/feed-skips.ts';
import { recordJournal } from '../../../schema/index/journal.ts';
import { transact } from '../../../schema/index/transact.ts';
import { feedShowOutput } from '../../../schema/outputs/feed-show.ts';
import type { FeedStore } from '../../../schema/ports/feed-store.ts';
import { type TestIndex, testIndex } from '../../support/postgres.ts';
import { hasRealData } from '../../support/real-data.ts';
import { recordingTerminal } from '../recording-terminal.ts';
import { FeedCopy } from './support/feed-copy.ts';

const READING = 'idx/segments/2020/06/09/0200/meta.json';
const SHARD = 'log/00/2020/06/09/0200/';
const CHUNK = `${SHARD}00000.avro`;

/** What is shown of a recorded feed, where nothing answers for Temporal. */
async function show(feed: FeedCopy, url: string, store?: FeedStore) {
  const config = join(feed.dir, 'federation.yaml');
  await writeFile(
    config,
    "name: lake\naccount: { name: contoso }\nsources: { changeFeed: {} }\nsinks: { gpu: { kind: fileView, root: . } }\nrules: [{ prefix: '', authority: blob, sink: gpu }]\n",
  );
  const env = { DATABASE_URL: url, TEMPORAL_ADDRESS: '127.0.0.1:1' };
  const signal = new AbortController().signal;
  const call = { env, terminal: recordingTerminal(), signal, json: true, config };
  const federation = await readFederation(config, env);
  const output = await collectShow(federation, store ?? (await FolderFeedStore.open(feed.dir)), call);
  return { output: feedShowOutput.parse(output), text: formatShow(output) };
}

async function standAt(db: TestIndex, offset: number, chunk = CHUNK, segment = READING) {
  const account = await ensureAccount(db.index, 'contoso');
  const shards = { [SHARD]: { chunk, offset, index: 0 } };
  await transact(db.index, (tx) => setCursor(tx, account.id, { segment, shards }));
  return account;
}

describe.skipIf(!hasRealData)('feed show', () => {
  it('shows the segments around the cursor, its shards with what is unread, gaps and skips, without Temporal', async () => {
    await using db = await testIndex();
    await using feed = await FeedCopy.of('java-2020-06');
    const { id } = await standAt(db, 2_434);
    await noteGap(db.index.db, id, { missing: 'log/00/2020/05/01/0000/00000.avro', detail: {} });
    await noteSkip(db.index.db, id, { chunk: CHUNK, from: 10, to: 20, reason: 'torn\u001b[31m' });
    const { output, text } = await show(feed, db.url);

    expect(output.feed).toMatchObject({
      exists: true,
      segments: 19,
      segmentsAhead: 7,
      oldest: '2020-05-12T22:00:00.000Z',
      newest: '2020-06-16T05:00:00.000Z',
      lastConsumable: '2020-06-16T06:00:00.000Z',
      problems: [],
    });
    expect(output.segments.map(({ path, place }) => `${path.slice(13, 28)} ${place}`)).toEqual([
      '2020/06/06/0400 read',
      '2020/06/09/0100 read',
      '2020/06/09/0200 reading',
      '2020/06/09/0300 ahead',
      '2020/06/11/0000 ahead',
      '2020/06/11/0200 ahead',
    ]);
    expect(output.shards).toEqual([
      {
        shard: SHARD,
        chunk: CHUNK,
        offset: 2_434,
        index: 0,
        movedAt: expect.any(String),
        chunkLength: 11_033,
        unreadBytes: 11_033 - 2_434,
        laterChunks: 0,
      },
    ]);
    expect(output.index).toMatchObject({ segment: READING, segmentGone: false, openGaps: 1, skippedBlocks: 1 });
    expect(output.index?.gaps).toMatchObject([{ missing: 'log/00/2020/05/01/0000/00000.avro', healedAt: null }]);
    expect(output.index?.skips).toMatchObject([{ chunk: CHUNK, from: 10, to: 20 }]);
    expect(output.loop).toBe(null);
    const shown = text.join('\n');
    expect(shown).toContain('>  2020-06-09T02:00:00.000Z');
    expect(shown).toContain('00000.avro at 2434');
    expect(shown).toContain('Gaps: 1 not healed');
    expect(shown).toContain('torn\\u001b[31m');
    expect(shown).toContain('when it was last polled is not known');
    expect(exitCodeOfShow(output)).toBe(0);
    const paused = { state: 'paused', doing: 'reading', reason: 'an hour back' } as const;
    const lines = formatShow({ ...output, loop: paused });
    expect(lines.filter((line) => line.startsWith('paused, '))).toHaveLength(1);
    expect(lines).toContain('Its loop: paused, an hour back');
  });

  it('shows the newest three rewinds: when, from where, to where and why', async () => {
    await using db = await testIndex();
    await using feed = await FeedCopy.of('java-2020-06');
    const { id } = await standAt(db, 2_434);
    expect((await show(feed, db.url)).text).toContain('Rewinds: none');
    const from = { segment: 'idx/segments/2020/06/16/0500/meta.json', version: 7, shards: {} };
    const to = { segment: READING, shards: {} };
    for (const reason of ['first', 'second', 'third']) {
      await recordJournal(db.index.db, id, [{ kind: 'feed-rewound', detail: { reason, from, to } }]);
    }
    await recordJournal(db.index.db, id, [
      { kind: 'feed-rewound', detail: { reason: 'before anything\u001b[31m', to } },
      { kind: 'feed-gap', detail: { reason: 'another' } },
    ]);
    const { output, text } = await show(feed, db.url);
    expect(output.index?.rewinds).toEqual([
      { from: null, to: READING, reason: 'before anything\u001b[31m', rewoundAt: expect.any(String) },
      { from: from.segment, to: READING, reason: 'third', rewoundAt: expect.any(String) },
      { from: from.segment, to: READING, reason: 'second', rewoundAt: expect.any(String) },
    ]);
    const [newest, third] = output.index?.rewinds ?? [];
    expect(text.slice(text.indexOf('Rewinds, the newest first')).slice(1)).toEqual([
      `  to ${READING}, ${newest?.rewoundAt}: before anything\\u001b[31m`,
      `  from ${from.segment} to ${READING}, ${third?.rewoundAt}: third`,
      `  from ${from.segment} to ${READING}, ${output.index?.rewinds[2]?.rewoundAt}: second`,
    ]);
  });

  it('says that what is being read is gone, and shows the newest segments', async () => {
    await using db = await testIndex();
    await using feed = await FeedCopy.of('java-2020-06');
    await standAt(db, 0, 'log/00/2019/01/01/0000/00000.avro', 'idx/segments/2019/01/01/0000/meta.json');
    const { output, text } = await show(feed, db.url);
    expect(output.index).toMatchObject({ segmentGone: true });
    expect(output.segments.at(-1)).toMatchObject({ begin: '2020-06-16T05:00:00.000Z' });
    expect(text.join('\n')).toContain('GAP  idx/segments/2019');
  });

  it('shows the feed where no worker has prepared the index, and what of it cannot be read', async () => {
    await using db = await testIndex();
    await using feed = await FeedCopy.of('java-2020-06');
    await feed.write('meta/segments.json', '{');
    await feed.write('idx/segments/2020/06/16/0500/meta.json', '{"chunkFilePaths":');
    const { output } = await show(feed, db.url);
    expect(output.index).toBe(null);
    expect(output.indexProblem).toContain('does not know account contoso yet');
    expect(output.feed.problems).toEqual(['meta/segments.json: expected JSON']);
    expect(output.segments.at(-1)).toMatchObject({ final: null, problem: 'expected JSON' });
  });

  it('9: says why there is no feed', async () => {
    await using db = await testIndex();
    await using feed = await FeedCopy.of('java-2020-06');
    await standAt(db, 0);
    const refuse = () => {
      throw new FeedUnavailableError('hierarchical', 'the account has a hierarchical namespace');
    };
    const store = { readText: refuse, list: refuse, readRange: refuse } as unknown as FeedStore;
    const { output, text } = await show(feed, db.url, store);
    expect(output.feed).toMatchObject({ exists: false, why: 'hierarchical', segments: 0 });
    expect(text).toContain('There is no feed to read (hierarchical): the account has a hierarchical namespace');
    expect(exitCodeOfShow(output)).toBe(0);
  });

  it('9: has failed where the feed may not be seen, or nobody answers for it, whatever the index says', async () => {
    await using db = await testIndex();
    await using feed = await FeedCopy.of('java-2020-06');
    await standAt(db, 0);
    for (const [why, error] of [
      ['forbidden', new FeedUnavailableError('forbidden', 'it may not be read')],
      ['unreachable', new IsthmusError('ISTHMUS_SOURCE_UNAVAILABLE', 'nobody answers')],
    ] as const) {
      const refuse = () => {
        throw error;
      };
      const store = { readText: refuse, list: refuse, readRange: refuse } as unknown as FeedStore;
      const { output, text } = await show(feed, db.url, store);
      expect(output.feed).toMatchObject({ exists: null, why });
      expect(output.index).not.toBe(null);
      expect(text).toContain(`It cannot be seen (${why}): ${error.message}`);
      expect(exitCodeOfShow(output)).toBe(3);
    }
  });

  it('has failed where neither the feed nor the index says anything', async () => {
    await using feed = await FeedCopy.of('java-2020-06');
    const refuse = () => {
      throw new IsthmusError('ISTHMUS_SOURCE_UNAVAILABLE', 'nobody answers');
    };
    const store = { readText: refuse, list: refuse, readRange: refuse } as unknown as FeedStore;
    const { output, text } = await show(feed, 'postgres://127.0.0.1:1/none', store);
    expect(text).toContain('It cannot be seen (unreachable): nobody answers');
    expect(exitCodeOfShow(output)).toBe(3);
  });
});
