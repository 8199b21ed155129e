import { once } from 'node:events';
import { join } from 'node:path';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { type ReplayOptions, replay } from '../../../cli/commands/replay.ts';
import { readAccount } from '../../../schema/index/accounts.ts';
import { replayOutput } from '../../../schema/outputs/replay.ts';
import { testIndex } from '../../support/postgres.ts';
import { hasRealData, REAL_DATA } from '../../support/real-data.ts';
import { blocksOf } from '../feed/support/by-avsc.ts';
import { FeedCopy } from '../feed/support/feed-copy.ts';
import { recordingTerminal } from '../recording-terminal.ts';

/** The recording's first chunk, and one of its last, by path. */
const FIRST = 'log/00/2020/05/12/2200/00000.avro';
const LATE = 'log/00/2020/06/16/0400/00000.avro';
/** The account that the recording is of, and how many records it has. */
const OWNER = 'emilydevtest';
const RECORDS = 1_606;

async function run(options: ReplayOptions) {
  const terminal = recordingTerminal();
  const call = { env: {}, terminal, signal: new AbortController().signal, json: false, config: undefined };
  expect(await replay(options, call)).toBe(0);
  return replayOutput.parse(JSON.parse(terminal.printed.join('')));
}

/** Gives every record of a chunk another topic; without one, its schema has no such field. */
async function retopic(feed: FeedCopy, chunk: string, topic: string | undefined): Promise<void> {
  const decoder = avro.createFileDecoder(feed.file(chunk), {
    parseHook: (schema) => avro.Type.forSchema(schema, { wrapUnions: false }),
  });
  let schema: avro.Schema | undefined;
  decoder.on('metadata', (type: avro.Type) => {
    schema = type.schema();
  });
  const records: object[] = [];
  for await (const record of decoder) records.push({ ...record, topic });
  const written = JSON.parse(JSON.stringify(schema)) as { fields: { name: string }[] };
  if (topic === undefined) written.fields = written.fields.filter(({ name }) => name !== 'topic');
  const type = avro.Type.forSchema(written as avro.Schema, { wrapUnions: false });
  const encoder = avro.createFileEncoder(feed.file(chunk), type);
  for (const record of records) encoder.write(record);
  encoder.end();
  await once(encoder, 'finish');
}

describe.skipIf(!hasRealData)("another account's feed in a folder", () => {
  const feed = join(REAL_DATA, 'changefeed', 'java-2020-06');

  it('does not enter an index that stays, and the refusal names both accounts, the record, and what to do', async () => {
    await using db = await testIndex();
    const [block] = blocksOf(join(feed, '$blobchangefeed', FIRST));
    const refused = run({ feed, account: 'contosolake', index: db.url });
    await expect(refused).rejects.toMatchObject({
      code: 'ISTHMUS_USAGE',
      message:
        `${FIRST} at byte ${block?.offset}: the record there is of the storage account ${OWNER}, but --account is contosolake. ` +
        `Nothing was applied. If the feed is of ${OWNER}, pass --account ${OWNER}; ` +
        'to apply it as contosolake all the same, add --any-account.',
    });
    expect(await readAccount(db.index.db, 'contosolake')).toBeUndefined();
  });

  it("enters under its own account's name, and under another where that is asked for", async () => {
    await using db = await testIndex();
    const own = await run({ feed, account: OWNER, index: db.url });
    expect(own.records).toBe(RECORDS);
    const other = await run({ feed, account: 'contosolake', index: db.url, anyAccount: true });
    expect(other).toEqual(own);
  });

  it('is replayed under any name into an index that is gone afterwards', async () => {
    expect((await run({ feed, account: 'contosolake' })).records).toBe(RECORDS);
  });

  it('is found where one chunk of it stands among those of the right account, before anything is applied', async () => {
    await using db = await testIndex();
    await using mixed = await FeedCopy.of('java-2020-06');
    await retopic(mixed, LATE, '/subscriptions/x/providers/Microsoft.Storage/storageaccounts/Other\u001b/');
    const refused = run({ feed: mixed.dir, account: OWNER, index: db.url });
    await expect(refused).rejects.toThrow(`${LATE} at byte `);
    await expect(refused).rejects.toThrow('is of the storage account other\\u001b, but');
    expect(await readAccount(db.index.db, OWNER)).toBeUndefined();
  });

  it.each([
    ['no topic', undefined],
    ['an empty topic', ''],
    ['a topic that is no storage account', '/subscriptions/x/providers/Microsoft.EventHub/namespaces/other'],
  ])('is not suspected where records have %s', async (_, topic) => {
    await using db = await testIndex();
    await using copy = await FeedCopy.of('java-2020-06');
    for (const chunk of [FIRST, LATE]) await retopic(copy, chunk, topic);
    expect((await run({ feed: copy.dir, account: OWNER, index: db.url })).records).toBe(RECORDS);
  });

  it('is not suspected where a chunk is damaged, of which the reading tells', async () => {
    await using db = await testIndex();
    await using copy = await FeedCopy.of('java-2020-06');
    await copy.write(FIRST, 'no Avro');
    const broken = run({ feed: copy.dir, account: OWNER, index: db.url });
    await expect(broken).rejects.toMatchObject({ code: 'ISTHMUS_FEED_CORRUPT', path: FIRST });
  });

  it('is asked for wrongly without a folder', async () => {
    await expect(run({ anyAccount: true })).rejects.toMatchObject({ code: 'ISTHMUS_USAGE' });
  });
});
