import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { feedVerify } from '../../../cli/commands/feed-verify.ts';
import { feedVerifyFinding, feedVerifyOutput } from '../../../schema/outputs/feed-verify.ts';
import { hasRealData, REAL_DATA } from '../../support/real-data.ts';
import { recordingTerminal } from '../recording-terminal.ts';
import { blocksOf } from './support/by-avsc.ts';
import { FeedCopy, RECORDED } from './support/feed-copy.ts';

const CHUNK = 'log/00/2020/05/12/2200/00000.avro';
const MANIFEST = 'idx/segments/2020/05/12/2200/meta.json';
const NEWEST_MANIFEST = 'idx/segments/2020/06/16/0500/meta.json';

async function verify(dir: string, json = true) {
  const terminal = recordingTerminal();
  const call = { env: {}, terminal, signal: new AbortController().signal, json, config: undefined };
  const code = await feedVerify({ dir }, call);
  return { code, printed: terminal.printed };
}

/** What is found in a recording after it was changed, each line held against the published schema. */
async function findings(change: (feed: FeedCopy) => Promise<void>) {
  await using feed = await FeedCopy.of('java-2020-06');
  await change(feed);
  const { code, printed } = await verify(feed.dir);
  const found = printed.slice(0, -1).map((line) => feedVerifyFinding.parse(JSON.parse(line)));
  const summary = feedVerifyOutput.parse(JSON.parse(printed.at(-1) ?? ''));
  expect(summary).toMatchObject({ findings: found.length, good: found.length === 0 });
  return { code, found, summary };
}

describe.skipIf(!hasRealData)('feed verify of a folder', () => {
  it.each(RECORDED)('finds nothing wrong in the recorded feed %s', async (name) => {
    const { code, printed } = await verify(join(REAL_DATA, 'changefeed', name), false);
    expect(code).toBe(0);
    expect(printed).toEqual([expect.stringMatching(/^1\d\d\d records in 1\d segments/), 'Nothing is wrong.']);
  });

  it('finds records that come a second time, by their ids and by sequencers that do not rise', async () => {
    const { code, found } = await findings((feed) => {
      const [first] = blocksOf(feed.file(CHUNK));
      return feed.edit(CHUNK, (bytes) => Buffer.concat([bytes, bytes.subarray(first?.offset, first?.end)]));
    });
    const again = found.filter(({ kind }) => kind === 'disorder');
    expect(again).toHaveLength(found.length);
    expect(again[0]).toMatchObject({ path: CHUNK, index: 0, why: expect.stringContaining('does not rise above') });
    expect(again[1]).toMatchObject({ index: 0, why: expect.stringContaining('stands in the chunk already') });
    expect(code).toBe(1);
  });

  it('finds a chunk that no manifest names, but for one that is newer than the newest segment', async () => {
    const stray = CHUNK.replace('log/00/', 'log/07/');
    const { code, found, summary } = await findings(async (feed) => {
      await feed.write(stray, await feed.read(CHUNK));
      await feed.write('log/00/2020/06/16/0600/00000.avro', await feed.read(CHUNK));
    });
    expect(found).toEqual([{ kind: 'unreached', path: stray }]);
    expect(summary.records).toBe(1_606);
    expect(code).toBe(1);
  });

  it('finds a shard that two segments name, and reads it once', async () => {
    const { found, summary } = await findings(async (feed) => {
      await feed.write(NEWEST_MANIFEST, await feed.read(MANIFEST));
    });
    expect(found).toEqual([
      expect.objectContaining({ kind: 'broken', why: expect.stringContaining("is another segment's too") }),
      { kind: 'unreached', path: 'log/00/2020/06/16/0500/00000.avro' },
    ]);
    expect(summary.records).toBeLessThan(1_606);
  });

  it('finds records that are long before their segment', async () => {
    const { found } = await findings(async (feed) => {
      await feed.write(NEWEST_MANIFEST, await feed.read(MANIFEST));
      await feed.remove(MANIFEST);
    });
    expect(found[0]).toMatchObject({ kind: 'disorder', why: expect.stringContaining('is long before its segment') });
  });

  it('notes text that is not UTF-8 beside a name, and is good', async () => {
    await using feed = await FeedCopy.of('java-2020-06');
    await feed.edit(CHUNK, (bytes) => bytes.fill(0xff, bytes.indexOf('0x8D'), bytes.indexOf('0x8D') + 1));
    const { code, printed } = await verify(feed.dir);
    expect(code).toBe(0);
    const why = 'one record holds text that is not UTF-8, which was altered in decoding';
    expect(feedVerifyFinding.parse(JSON.parse(printed[0] ?? ''))).toEqual({ kind: 'note', path: CHUNK, why });
    const summary = feedVerifyOutput.parse(JSON.parse(printed.at(-1) ?? ''));
    expect(summary).toMatchObject({ good: true, findings: 0, notes: 1, records: 1_606 });
    const told = (await verify(feed.dir, false)).printed;
    expect(told.at(0)).toBe(`NOTE  ${CHUNK}: ${why}`);
    expect(told.slice(-2)).toEqual(['1 note: no finding.', 'Nothing is wrong.']);
  });

  it('finds what is broken, with where reading went on', async () => {
    const { code, found, summary } = await findings((feed) => {
      const [, second] = blocksOf(feed.file(CHUNK));
      return feed.edit(CHUNK, (bytes) => bytes.fill(0, (second?.end ?? 0) - 8, second?.end));
    });
    expect(found).toEqual([
      { kind: 'broken', path: CHUNK, offset: expect.any(Number), until: expect.any(Number), why: expect.any(String) },
    ]);
    expect(summary.records).toBeLessThan(1_606);
    expect(code).toBe(1);
  });
});
