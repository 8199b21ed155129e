import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { feedActivities } from '../../../activities/feed/feed-activities.ts';
import { openIndex } from '../../../schema/index/database.ts';
import { healGaps, readGaps } from '../../../schema/index/feed-gaps.ts';
import { recentJournal } from '../../../schema/index/journal.ts';
import { countEntries } from '../../../schema/index/queries.ts';
import { startRun } from '../../../schema/index/runs.ts';
import { readSources, upsertSource } from '../../../schema/index/sources.ts';
import type { Clock } from '../../../schema/ports/clock.ts';
import { storedEntries } from '../../schema/index/read-index.ts';
import { testIndex } from '../../support/postgres.ts';
import { avroBlock, avroHeader, feedRecord, MemoryFeed } from '../azure/memory-feed.ts';
import { runActivity, testServices } from '../test-services.ts';
import { inPasses, KnownFeed, knownFeed, namesByCursor, namesInIndex, tailToEnd } from './feed-of.ts';

describe('the feed tail, when things go wrong', () => {
  it('3: a database that ends its sessions in mid-transaction costs retries and nothing else', async () => {
    await using db = await testIndex();
    const feed = new KnownFeed();
    feed.segment(0, 'Publishing', ['00', '01', '02']);
    for (const shard of ['00', '01', '02']) {
      for (let block = 0; block < 40; block++) feed.grow(`${feed.shard(0, shard)}00000.avro`, 20);
    }
    const services = await testServices(db.index, { feed });
    const index = openIndex(db.url, { applicationName: 'restarted' });
    const ended = { sessions: 0, turns: 0 };
    let over = false;
    const ending = (async () => {
      while (!over) {
        await sleep(50);
        const { rows } = await db.index.pool.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where application_name = 'restarted' and xact_start is not null and pid <> pg_backend_pid()`,
        );
        ended.sessions += rows.length;
        over ||= ended.sessions > 20;
      }
    })();
    const turns = await tailToEnd({ ...services, index }, { pageRecords: 20 });
    over = true;
    await ending;
    await index.close();
    expect(ended.sessions).toBeGreaterThan(0);
    expect(turns.at(-1)).toMatchObject({ caughtUp: true });
    expect(await namesInIndex(db.index, services.account.id)).toEqual(feed.names);
    expect(await namesByCursor(db.index, services.account.id, feed)).toEqual(feed.names);
  });

  it('1: records that come twice and out of order end as the newest says', async () => {
    await using db = await testIndex();
    const feed = new MemoryFeed();
    feed.segment(0, 'Publishing');
    const at = (number: number) => feedRecord(number, 'the one');
    const chunk = `${feed.shard(0)}00000.avro`;
    feed.append(chunk, avroHeader(), avroBlock([at(2), at(1), at(2)]), avroBlock([at(5), at(3)]), avroBlock([at(4)]));
    feed.append(chunk, avroBlock([at(5), at(1)]));
    const services = await testServices(db.index, { feed });
    const turns = await tailToEnd(services, { pageRecords: 1 });
    expect(turns.at(-1)).toMatchObject({ records: 8, applied: 2, superseded: 6 });
    const [entry, ...others] = await storedEntries(db.index, services.account.id);
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ live: true, revision: 2, attributes: { etag: '0x5', length: 5 } });
  });

  it('2: a new container version ends the old epoch, whatever comes of it afterwards', async () => {
    await using db = await testIndex();
    const feed = new MemoryFeed();
    feed.segment(0, 'Publishing');
    const chunk = `${feed.shard(0)}00000.avro`;
    const inEpoch = (number: number, containerVersion: string, name?: string) => {
      const record = feedRecord(number, name);
      return { ...record, data: { ...record.data, containerVersion } };
    };
    const [first, second] = ['01DC600000000000', '01DC700000000000'];
    feed.append(chunk, avroHeader(), avroBlock([inEpoch(1, first, 'kept'), inEpoch(2, first, 'lost')]));
    const services = await testServices(db.index, { feed });
    await tailToEnd(services);
    expect(await countEntries(db.index.db, services.account.id)).toMatchObject({ live: 2, dead: 0 });
    feed.append(chunk, avroBlock([inEpoch(3, second, 'new')]), avroBlock([inEpoch(9, first, 'kept')]));
    await tailToEnd(services, { pageRecords: 1 });
    expect(await countEntries(db.index.db, services.account.id)).toMatchObject({ live: 1, dead: 2 });
  });

  it('9: a chunk that retention took from under the cursor is a gap that is written down, passed and asked about', async () => {
    await using db = await testIndex();
    const feed = knownFeed();
    const asked: unknown[] = [];
    const services = await testServices(db.index, { feed, requestReconcile: async (input) => void asked.push(input) });
    const { id } = services.account;
    await tailToEnd(services);
    // A while later: the segment of the cursor is gone, and so is the first chunk of the one after it.
    for (const path of [...feed.files.keys()].filter((each) => /\/01\/0(000|100)\//.test(each)))
      feed.files.delete(path);
    feed.segment(120, 'Finalized');
    feed.segment(180, 'Publishing');
    feed.grow(`${feed.shard(120)}00000.avro`, 3);
    feed.grow(`${feed.shard(180)}00000.avro`, 3);
    expect(await tailToEnd(services)).toMatchObject([
      {
        state: 'tailing',
        reason: expect.stringContaining('a reconcile that lists everything will heal it'),
        records: 0,
      },
      { state: 'tailing', records: 6, applied: 6, caughtUp: true },
    ]);
    expect(asked).toEqual([{ judge: 'listing' }]);
    expect(await readGaps(db.index.db, id, { limit: 5 })).toMatchObject([
      {
        missing: feed.manifest(60),
        requestedAt: expect.any(Number),
        healedAt: undefined,
        detail: { from: { segment: feed.manifest(60) }, to: { segment: feed.manifest(120), shards: {} } },
      },
    ]);
    expect(await recentJournal(db.index.db, id, { limit: 5 })).toMatchObject([{ kind: 'feed-gap' }]);
    expect(await readSources(db.index.db, id)).toMatchObject([
      { state: 'tailing', reason: expect.stringContaining('gap') },
    ]);
  });

  it('9: of a segment whose first chunks are gone, the others are read', async () => {
    await using db = await testIndex();
    const feed = new KnownFeed();
    feed.segment(0, 'Publishing', ['00', '01']);
    const chunks = ['00000.avro', '00001.avro', '00002.avro'].map((name) => `${feed.shard(0)}${name}`);
    for (const chunk of chunks) feed.grow(chunk, 3);
    feed.grow(`${feed.shard(0, '01')}00000.avro`, 3);
    const services = await testServices(db.index, { feed });
    for (const chunk of chunks.slice(0, 2)) feed.files.delete(chunk);
    const turns = await tailToEnd(services);
    expect(turns.at(-1)).toMatchObject({ caughtUp: true });
    expect(turns.reduce((sum, { records }) => sum + records, 0)).toBe(6);
    expect(await readGaps(db.index.db, services.account.id, { limit: 5 })).toMatchObject([{ missing: chunks[0] }]);
  });

  it('9: a chunk that is listed though it is gone is a gap once, behind which the others are read', async () => {
    await using db = await testIndex();
    const feed = new KnownFeed();
    feed.segment(0, 'Publishing');
    const [gone, next] = [0, 1].map((number) => `${feed.shard(0)}0000${number}.avro`) as [string, string];
    feed.grow(gone, 3);
    feed.grow(next, 3);
    const readRange = feed.readRange.bind(feed);
    feed.readRange = async (path, ...range) => (path === gone ? undefined : readRange(path, ...range));
    const services = await testServices(db.index, { feed });
    expect(await tailToEnd(services)).toMatchObject([{ records: 0 }, { records: 3, caughtUp: true }]);
    expect(await readGaps(db.index.db, services.account.id, { limit: 5 })).toMatchObject([{ missing: gone }]);
  });

  it.each([
    ['from its beginning', 0],
    ['from its middle', 3],
  ])('9: a chunk that is listed for ever though it is gone %s is one gap, healed or not', async (_where, before) => {
    await using db = await testIndex();
    const feed = new KnownFeed();
    feed.segment(0, 'Publishing');
    const [first, gone, next] = [0, 1, 2].map((number) => `${feed.shard(0)}0000${number}.avro`) as [
      string,
      string,
      string,
    ];
    feed.grow(first, 3);
    if (before > 0) feed.grow(gone, before);
    const services = await testServices(db.index, { feed });
    const { id } = services.account;
    await tailToEnd(services);
    feed.grow(gone, 3);
    const readRange = feed.readRange.bind(feed);
    feed.readRange = async (path, ...range) => (path === gone ? undefined : readRange(path, ...range));
    const isOneGap = async () => {
      await tailToEnd(services);
      expect(await readGaps(db.index.db, id, { limit: 5 })).toMatchObject([{ missing: gone }]);
    };
    for (let turn = 0; turn < 3; turn++) await isOneGap();
    await sleep(5);
    await healGaps(db.index.db, id, await startRun(db.index.db, id, { judge: 'listing', prefix: '' }));
    expect(await readGaps(db.index.db, id, { limit: 5, open: true })).toEqual([]);
    await isOneGap();
    // What comes after it is read once, and its segment is left for the next one.
    feed.grow(next, 3);
    expect((await tailToEnd(services)).at(-1)).toMatchObject({ records: 3, applied: 3, superseded: 0 });
    feed.segment(0, 'Finalized');
    feed.segment(60, 'Publishing');
    feed.grow(`${feed.shard(60)}00000.avro`, 3);
    expect((await tailToEnd(services)).at(-1)).toMatchObject({ records: 3, caughtUp: true });
    await isOneGap();
  });

  it('9: a finished segment whose last chunk is listed though it is gone is left for the next one', async () => {
    await using db = await testIndex();
    const feed = new KnownFeed();
    feed.segment(0, 'Finalized');
    feed.segment(60, 'Publishing');
    const gone = `${feed.shard(0)}00000.avro`;
    feed.grow(gone, 3);
    feed.grow(`${feed.shard(60)}00000.avro`, 3);
    const readRange = feed.readRange.bind(feed);
    feed.readRange = async (path, ...range) => (path === gone ? undefined : readRange(path, ...range));
    const services = await testServices(db.index, { feed });
    expect(await tailToEnd(services)).toMatchObject([{ records: 0 }, { records: 3, caughtUp: true }]);
    expect(await readGaps(db.index.db, services.account.id, { limit: 5 })).toMatchObject([{ missing: gone }]);
  });

  it('9: a gap whose reconcile could not be asked for is asked about at the next turn', async () => {
    await using db = await testIndex();
    const feed = knownFeed();
    let refuses = true;
    let asked = 0;
    const services = await testServices(db.index, {
      feed,
      requestReconcile: async () => {
        if (refuses) throw new Error('no Temporal');
        asked++;
      },
    });
    await tailToEnd(services);
    feed.files.delete(feed.manifest(60));
    feed.segment(120, 'Publishing');
    const { tailFeed } = feedActivities(inPasses(services));
    expect(await runActivity(() => tailFeed({ seconds: 60 }))).toMatchObject({
      reason: expect.stringContaining('cannot be asked for: no Temporal'),
    });
    const unasked = { requestedAt: undefined, missing: feed.manifest(60) };
    expect(await readGaps(db.index.db, services.account.id, { limit: 5 })).toMatchObject([unasked]);
    refuses = false;
    await runActivity(() => tailFeed({ seconds: 60 }));
    await runActivity(() => tailFeed({ seconds: 60 }));
    expect(asked).toBe(1);
  });

  it('9: a gap that its reconcile did not heal is asked about again after an hour, unless one still runs', async () => {
    await using db = await testIndex();
    const feed = knownFeed();
    let asked = 0;
    const services = await testServices(db.index, {
      feed,
      requestReconcile: async () => {
        asked++;
      },
    });
    await tailToEnd(services);
    feed.files.delete(feed.manifest(60));
    feed.segment(120, 'Publishing');
    const { tailFeed } = feedActivities(inPasses(services));
    const turn = () => runActivity(() => tailFeed({ seconds: 60 }));
    await turn();
    await turn();
    expect(asked).toBe(1);
    const { id } = services.account;
    await db.index.pool.query('update feed_gaps set requested_at = requested_at - 3700000');
    const run = await startRun(db.index.db, id, { judge: 'listing', prefix: '' });
    await turn();
    expect(asked).toBe(1);
    await db.index.pool.query(`update runs set outcome = 'guarded', ended_at = started_at where id = $1`, [run]);
    await turn();
    await turn();
    expect(asked).toBe(2);
  });

  it('9: two attempts that meet one gap write one down', async () => {
    await using db = await testIndex();
    const feed = knownFeed();
    const services = await testServices(db.index, { feed });
    await tailToEnd(services);
    feed.files.delete(feed.manifest(60));
    feed.segment(120, 'Publishing');
    const attempts = Array.from({ length: 4 }, () => feedActivities(inPasses(services)));
    await Promise.all(attempts.map(({ tailFeed }) => runActivity(() => tailFeed({ seconds: 60 }))));
    expect(await readGaps(db.index.db, services.account.id, { limit: 5 })).toHaveLength(1);
  });

  it('9: a feed that is switched off is said to be, and is read on once it is there again', async () => {
    await using db = await testIndex();
    const feed = knownFeed();
    const services = await testServices(db.index, { feed });
    const { id } = services.account;
    await tailToEnd(services);
    const files = new Map(feed.files);
    feed.files.clear();
    expect(await tailToEnd(services)).toMatchObject([{ state: 'no-feed', records: 0 }]);
    expect(await readSources(db.index.db, id)).toMatchObject([{ state: 'no-feed', detail: { why: 'missing' } }]);
    for (const [path, file] of files) feed.files.set(path, file);
    feed.grow(`${feed.shard(60)}00000.avro`, 3);
    expect(await tailToEnd(services)).toMatchObject([{ state: 'tailing', records: 3, applied: 3 }]);
    expect(await namesInIndex(db.index, id)).toEqual(feed.names);
    expect(await readGaps(db.index.db, id, { limit: 5 })).toEqual([]);
  });

  it('9: a feed that is no longer written while triggers tell of changes is said to be switched off', async () => {
    await using db = await testIndex();
    const feed = knownFeed();
    const services = await testServices(db.index, { feed });
    const { id } = services.account;
    const trigger = (applied: number) =>
      upsertSource(db.index.db, { accountId: id, source: 'trigger', state: 'receiving', applied });
    await tailToEnd(services);
    const head = (await readSources(db.index.db, id))[0]?.head ?? 0;
    await trigger(head + 10 * 60_000);
    expect(await tailToEnd(services)).toMatchObject([{ state: 'tailing' }]);
    await trigger(head + 16 * 60_000);
    expect(await tailToEnd(services)).toMatchObject([
      { state: 'no-feed', reason: expect.stringContaining('switched off') },
    ]);
    expect(await readSources(db.index.db, id)).toMatchObject([{ state: 'no-feed', detail: { why: 'disabled' } }, {}]);
    // It is polled all the same, and a record says that it lives.
    feed.segment(60, 'Finalized', ['00', '01']);
    feed.segment(120, 'Publishing');
    feed.grow(`${feed.shard(120)}00000.avro`, 1);
    expect(await tailToEnd(services)).toMatchObject([{ state: 'tailing', records: 1 }]);
  });

  it('9: a quiet feed is not taken for one that is switched off by a worker that has read nothing of it', async () => {
    await using db = await testIndex();
    const feed = new MemoryFeed();
    feed.segment(0, 'Publishing');
    // Forty minutes after the segment opened.
    feed.append(`${feed.shard(0)}00000.avro`, avroHeader(), avroBlock([feedRecord(2_400)]));
    const services = await testServices(db.index, { feed });
    const { id } = services.account;
    await tailToEnd(services);
    const applied = (await readSources(db.index.db, id))[0]?.applied;
    await upsertSource(db.index.db, { accountId: id, source: 'trigger', state: 'receiving', applied });
    // Each time a new worker, which goes on from the cursor.
    expect(await tailToEnd(services)).toMatchObject([{ state: 'tailing', records: 0 }]);
    expect(await readSources(db.index.db, id)).toMatchObject([{ source: 'feed', state: 'tailing' }, {}]);
  });

  it('9: a clock that jumps, on or back, ends a turn early and no more', async () => {
    await using db = await testIndex();
    const feed = knownFeed();
    const services = await testServices(db.index, { feed });
    let now = Date.now();
    let rests = 0;
    let by = 0;
    // It stands still but for the one jump, in the third rest between two polls.
    const clock: Clock = {
      now: () => now,
      async sleep() {
        if (++rests === 3) now += by;
        if (rests > 3) throw new Error('the turn went on');
      },
    };
    const { tailFeed } = feedActivities({ ...services, clock });
    for (by of [-3_600_000, 3_600_000]) {
      rests = 0;
      expect(await runActivity(() => tailFeed({ seconds: 60 }))).toMatchObject({ state: 'tailing', caughtUp: true });
      expect(rests).toBe(3);
    }
    feed.grow(`${feed.shard(60)}00000.avro`, 3);
    [rests, by] = [0, 0];
    const next = feedActivities(inPasses({ ...services, clock }));
    expect(await runActivity(() => next.tailFeed({ seconds: 60 }))).toMatchObject({ applied: 3 });
    expect(await namesInIndex(db.index, services.account.id)).toEqual(feed.names);
  });

  it('9: a segments.json that is just rewritten when a turn is over stops nothing', async () => {
    await using db = await testIndex();
    const feed = new KnownFeed();
    feed.segment(0, 'Publishing');
    for (let block = 0; block < 5; block++) feed.grow(`${feed.shard(0)}00000.avro`, 3);
    const services = await testServices(db.index, { feed });
    const whole = feed.files.get('meta/segments.json') ?? Buffer.alloc(0);
    let jump = 0;
    feed.onAsk = (asked) => {
      // The turn is over when its first page is committed; what it asks for then is half there.
      if (asked.startsWith('range')) jump = 3_600_000;
      else if (asked === 'text meta/segments.json' && jump > 0)
        feed.files.set('meta/segments.json', whole.subarray(0, 9));
    };
    const clock = { ...services.clock, now: () => Date.now() + jump };
    const { tailFeed } = feedActivities({ ...services, clock }, { pageRecords: 3 });
    expect(await runActivity(() => tailFeed({ seconds: 60 }))).toMatchObject({ state: 'tailing', caughtUp: false });
    feed.onAsk = undefined;
    feed.files.set('meta/segments.json', whole);
    await tailToEnd(services);
    expect(await namesInIndex(db.index, services.account.id)).toEqual(feed.names);
  });

  it('9: a damaged block stops the feed in alarm, after everything that is whole beside it and before it', async () => {
    await using db = await testIndex();
    const feed = new KnownFeed();
    feed.segment(0, 'Publishing', ['00', '01']);
    const chunk = `${feed.shard(0)}00000.avro`;
    feed.grow(chunk, 3);
    const bad = feed.grow(chunk, 3);
    feed.grow(chunk, 3);
    for (let block = 0; block < 10; block++) feed.grow(`${feed.shard(0, '01')}00000.avro`, 3);
    feed.files.get(chunk)?.fill(0xff, bad + 20, bad + 60);
    const services = await testServices(db.index, { feed });
    const [turn] = await tailToEnd(services, { pageRecords: 3 });
    expect(turn).toMatchObject({ state: 'corrupt', corrupt: { chunk, offset: bad }, records: 33, applied: 33 });
    expect(turn?.reason).toContain(`${chunk} at byte ${bad}`);
    expect(await readSources(db.index.db, services.account.id)).toMatchObject([
      { state: 'stopped', reason: turn?.reason, detail: { corrupt: { chunk, offset: bad } } },
    ]);
  });
});
