import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { hasRealData, REAL_DATA } from '../../support/real-data.ts';
import { blocksOf, decodeFiles } from './support/by-avsc.ts';
import { dump } from './support/dump.ts';
import { RECORDED } from './support/feed-copy.ts';

const LAUNCHER = fileURLToPath(new URL('../../../cli/isthmus.mjs', import.meta.url));
const run = promisify(execFile);

describe.skipIf(!hasRealData).each(RECORDED)('feed dump of the recorded feed %s', (name) => {
  const feed = join(REAL_DATA, 'changefeed', name);
  const container = join(feed, '$blobchangefeed');

  it('prints every record once, as an independent decoder reads it, and finds nothing broken', async () => {
    const { code, records, said } = await dump(feed);
    const plain = records.map(({ chunk: _chunk, offset: _offset, index: _index, ...record }) => record);
    expect(plain).toEqual(await decodeFiles(container));
    expect({ code, said }).toEqual({ code: 0, said: [] });
    expect(new Set(records.map(({ chunk, offset, index }) => `${chunk} ${offset} ${index}`)).size).toBe(records.length);
  });

  it('names the block and the number in it of each record', async () => {
    const { records } = await dump(container);
    const chunks = Object.groupBy(records, ({ chunk }) => chunk);
    for (const [chunk, inChunk = []] of Object.entries(chunks)) {
      const blocks = Object.groupBy(inChunk, ({ offset }) => offset);
      expect(Object.keys(blocks).map(Number)).toEqual(blocksOf(join(container, chunk)).map(({ offset }) => offset));
      for (const block of Object.values(blocks)) {
        expect(block?.map(({ index }) => index)).toEqual(block?.map((_, at) => at));
      }
    }
  });

  it('prints the records of a time, those of a prefix, and nothing else', async () => {
    const { records } = await dump(feed);
    const at = Date.parse(records[Math.floor(records.length / 2)]?.eventTime ?? '');
    const before = await dump(feed, { to: at });
    const after = await dump(feed, { from: at });
    expect(before.records).toEqual(records.filter(({ eventTime }) => Date.parse(eventTime) < at));
    expect(after.records).toEqual(records.filter(({ eventTime }) => Date.parse(eventTime) >= at));
    expect(before.records.length + after.records.length).toBe(records.length);

    const subject = records[0]?.subject ?? '';
    const prefix = subject.replace(/^.*\/containers\/([^/]*)\/blobs\/(.).*$/, '$1/$2');
    const named = await dump(feed, { prefix });
    const start = `/blobServices/default/containers/${prefix.replace('/', '/blobs/')}`;
    expect(named.records).toEqual(records.filter((record) => record.subject.startsWith(start)));
    expect(named.records.length).toBeGreaterThan(0);
  });
});

describe('feed dump of no time at all', () => {
  it.each([0, -1])('is wrong use, with --to %i ms after --from', async (later) => {
    const from = Date.UTC(2026, 0);
    await expect(dump('/nowhere', { from, to: from + later })).rejects.toMatchObject({
      code: 'ISTHMUS_USAGE',
      message: expect.stringContaining(
        'isthmus feed dump: --from is "2026-01-01T00:00:00.000Z", which is not before --to',
      ),
    });
  });
});

describe.skipIf(!hasRealData)('feed dump as a command', () => {
  const feed = join(REAL_DATA, 'changefeed', 'java-2020-06');
  const env = { PATH: process.env.PATH, HOME: process.env.HOME };

  it('needs no federation, no index and no Temporal for a folder', async () => {
    const { stdout, stderr } = await run(process.execPath, [LAUNCHER, 'feed', 'dump', '--dir', feed], {
      env,
      cwd: '/',
      maxBuffer: 1 << 26,
    });
    expect({ lines: stdout.split('\n').length - 1, stderr }).toEqual({ lines: 1_606, stderr: '' });
  });

  it('8: goes on for a reader that is slow, and ends quietly with one that has gone', async () => {
    const child = spawn(process.execPath, [LAUNCHER, 'feed', 'dump', '--dir', feed], { env, cwd: '/' });
    let said = '';
    child.stderr.on('data', (text) => (said += text));
    await once(child.stdout, 'readable');
    child.stdout.destroy();
    const [code] = await once(child, 'exit');
    expect({ code, said }).toEqual({ code: 0, said: '' });
  });

  it('says where a folder holds no feed, and takes only times that it can read', async () => {
    const failure = (...args: string[]) =>
      run(process.execPath, [LAUNCHER, 'feed', 'dump', ...args], { env, cwd: '/' }).then(
        () => ({ code: 0, stderr: '' }),
        (error: { code: number; stderr: string }) => error,
      );
    const nowhere = await failure('--dir', '/');
    expect(nowhere.code).toBe(3);
    expect(nowhere.stderr).toContain('ISTHMUS_FEED_UNAVAILABLE: / holds no change feed');
    expect((await failure('--dir', feed, '--from', 'yesterday')).code).toBe(64);
  });
});
