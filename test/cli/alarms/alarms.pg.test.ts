import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { healGaps } from '../../../schema/index/feed-gaps.ts';
import { startRun } from '../../../schema/index/runs.ts';
import { AlarmWorld } from './alarm-world.ts';

const raised = (kind: string, source = 'feed') => `isthmus_alarm_raised{source="${source}",alarm="${kind}"}`;

describe('9: alarms, each in the log, in status and in a metric', () => {
  it('9: nothing rings while the feed is read', async () => {
    await using world = await AlarmWorld.open();
    expect(await world.glance()).toEqual([]);
    world.write(2);
    world.pass(55);
    await world.read();
    expect(await world.glance()).toEqual([]);
    const { alarms, sources, moving } = await world.status();
    expect(alarms).toEqual([]);
    expect(moving.filter((each) => each.startsWith('feed'))).toEqual([]);
    expect(sources[0]).toMatchObject({ source: 'feed', state: 'tailing', lagSeconds: 0, behind: null });
    expect(sources[0]?.feed).toMatchObject({ segment: world.feed.manifest(0), caughtUp: true, why: null, openGaps: 0 });
    expect(await world.metric(raised('silent'))).toBe(0);
    expect(await world.metric('isthmus_feed_readable{reason="none"}')).toBe(1);
  });

  it('9: a worker that was killed is missed 45 s after its last poll, with Temporal away too', async () => {
    await using world = await AlarmWorld.open();
    world.pass(40);
    expect(await world.glance()).toEqual([]);
    expect((await world.status()).alarms).toEqual([]);
    world.pass(6);
    const { alarms, told } = await world.status();
    expect(alarms).toMatchObject([{ about: 'feed', kind: 'poll-stopped' }]);
    expect(told.join()).toContain('ALARM  feed: the feed was last polled at');
    expect(await world.glance()).toEqual([expect.stringMatching(/^Alarm: feed: the feed was last polled/)]);
    expect(await world.metric(raised('poll-stopped'))).toBe(1);
    // What the alert rule compares, by Prometheus' own clock.
    const polled = (await world.metric('isthmus_feed_last_poll_timestamp_seconds')) ?? Number.POSITIVE_INFINITY;
    const limit = (await world.metric('isthmus_feed_poll_limit_seconds')) ?? Number.POSITIVE_INFINITY;
    expect(world.now() / 1000 - polled).toBeGreaterThan(limit);

    await world.read();
    expect(await world.glance()).toEqual([expect.stringMatching(/^Over after 4\d s: .*feed \(poll-stopped\)/)]);
    expect(await world.metric(raised('poll-stopped'))).toBe(0);
  });

  it('9: a loop that hangs inside an open segment rings, and the feed itself tells that it had news', async () => {
    await using world = await AlarmWorld.open();
    world.loop = 'hangs';
    world.write(2);
    await world.read();
    expect(await world.glance()).toEqual([]);
    const { moving, sources } = await world.status();
    expect(moving.join()).toContain(`bytes of ${world.chunk} are not applied`);
    expect(sources[0]?.feed).toMatchObject({ caughtUp: false });
    world.pass(46);
    expect((await world.status()).alarms).toMatchObject([{ kind: 'poll-stopped' }]);
    expect(await world.glance()).toHaveLength(1);
    const since = (await world.metric('isthmus_source_silent_since_timestamp_seconds{source="feed"}')) ?? 0;
    expect(world.now() / 1000 - since).toBeGreaterThan(45);
  });

  it('9: a loop that polls and takes nothing of what the feed holds is silent', async () => {
    await using world = await AlarmWorld.open();
    world.write(2);
    world.pass(46);
    // Its polls are answered: with a lie, as a cache between them could tell it.
    const { account, index } = world.services;
    const lie = { caughtUp: true, polledAt: world.now() };
    await sql`update sources set detail = ${JSON.stringify(lie)}::jsonb where account_id = ${account.id}`.execute(
      index.db,
    );
    const { alarms } = await world.status();
    expect(alarms).toMatchObject([{ about: 'feed', kind: 'silent' }]);
    expect(await world.glance()).toMatchObject([expect.stringMatching(/^Alarm: feed: \d+ bytes of .* nothing of it/)]);
    expect(await world.metric(raised('silent'))).toBe(1);
    await world.read();
    expect(await world.glance()).toMatchObject([expect.stringMatching(/^Over after \d+ s: .*silent/)]);
  });

  it('9: a rewind takes nothing: it ends no alarm, and where nothing comes of it there is one within the minute', async () => {
    await using world = await AlarmWorld.open();
    world.pass(20);
    await world.rewind();
    world.pass(40);
    expect(await world.glance()).toEqual([]);
    world.pass(6);
    expect(await world.glance()).toHaveLength(1);
    expect((await world.status()).alarms).toMatchObject([{ about: 'feed', kind: 'poll-stopped' }]);

    // It rings, and goes on ringing, for whoever looks.
    await world.rewind();
    world.pass(5);
    expect(await world.glance()).toEqual([]);
    expect((await world.status()).alarms).toMatchObject([{ about: 'feed', kind: 'poll-stopped' }]);
    const polled = (await world.metric('isthmus_feed_last_poll_timestamp_seconds')) ?? Number.POSITIVE_INFINITY;
    expect(world.now() / 1000 - polled).toBeGreaterThan(45);
    const since = (await world.metric('isthmus_source_silent_since_timestamp_seconds{source="feed"}')) ?? 0;
    expect(since).toBeGreaterThan(0);
    expect(world.now() / 1000 - since).toBeGreaterThan(45);

    await world.read();
    expect(await world.glance()).toMatchObject([expect.stringMatching(/^Over after .*poll-stopped/)]);
    expect((await world.status()).alarms).toEqual([]);
  });

  it('9: a rewind of a loop that reads, however quiet the feed was, rings nothing', async () => {
    await using world = await AlarmWorld.open();
    world.pass(3_600);
    await world.read();
    await world.rewind();
    expect(await world.glance()).toEqual([]);
    expect((await world.status()).alarms).toMatchObject([{ kind: 'lag' }]);
    world.pass(1);
    await world.read();
    expect(await world.glance()).toEqual([]);
    expect((await world.status()).alarms).toEqual([]);
  });

  it('9: says that the loop is paused, where that is known, instead of asking for it', async () => {
    await using world = await AlarmWorld.open();
    world.pause = {};
    world.pass(46);
    expect(await world.glance()).toEqual([
      expect.stringMatching(/was last polled at .*: its loop is paused, and goes on with `isthmus resume feed`/),
    ]);
  });

  it('9: an account that stalls rings, and holds up nobody who watches', async () => {
    await using world = await AlarmWorld.open();
    world.account = 'stalled';
    await world.read();
    world.pass(46);
    const { alarms, sources } = await world.status();
    expect(alarms).toMatchObject([{ kind: 'poll-stopped' }]);
    expect(alarms[0]?.message).toContain('the account did not answer within 4 s');
    expect(sources[0]).toMatchObject({ state: 'unreachable' });
    expect(await world.glance()).toHaveLength(1);
  });

  it.each(['forbidden', 'missing', 'hierarchical'] as const)(
    '9: an account that refuses the reader rings at once: %s',
    async (why) => {
      await using world = await AlarmWorld.open();
      world.account = why;
      await world.read();
      const { alarms, sources, told } = await world.status();
      expect(alarms).toMatchObject([{ about: 'feed', kind: 'unreadable' }]);
      expect(told.join()).toContain(`there is no feed to read (${why}): the account said: ${why}`);
      expect(sources[0]).toMatchObject({ state: 'no-feed', feed: { why } });
      expect(await world.glance()).toHaveLength(1);
      expect(await world.metric(`isthmus_feed_readable{reason="${why}"}`)).toBe(0);
      expect(await world.metric(raised('unreadable'))).toBe(1);

      world.account = 'open';
      world.pass(2);
      await world.read();
      expect(await world.glance()).toMatchObject([expect.stringMatching(/^Over after .*unreadable/)]);
      expect(await world.metric(`isthmus_feed_readable{reason="${why}"}`)).toBeUndefined();
    },
  );

  it('9: a gap rings until a complete reconcile has healed it', async () => {
    await using world = await AlarmWorld.open();
    world.feed.files.delete(world.feed.manifest(0));
    world.feed.files.delete(world.chunk);
    world.feed.segment(60, 'Publishing');
    await world.read();
    const { alarms, sources } = await world.status();
    expect(alarms).toMatchObject([{ about: 'feed', kind: 'gap' }]);
    expect(sources[0]?.feed).toMatchObject({ openGaps: 1, gaps: [{ requestedAt: expect.any(String) }] });
    expect((await world.glance()).join()).toMatch(/Alarm: feed: records are missing from .*reconcile was asked for/);
    expect(await world.metric('isthmus_feed_open_gaps')).toBe(1);

    const { account, index } = world.services;
    await healGaps(index.db, account.id, await startRun(index.db, account.id, { judge: 'listing', prefix: '' }));
    expect((await world.glance()).join()).toMatch(/^Over after .*gap/);
    expect(await world.metric('isthmus_feed_open_gaps')).toBe(0);
  });

  it('9: a lag above the limit rings at the second glance', async () => {
    await using world = await AlarmWorld.open({ lagLimitSeconds: 10 });
    world.write(2);
    world.pass(12);
    expect(await world.glance()).toEqual([]);
    expect((await world.glance()).join()).toMatch(
      /Alarm: feed: the index is 1[23] s behind the feed, more than the 10 s/,
    );
    expect((await world.status()).alarms).toMatchObject([{ kind: 'lag' }]);
    expect(await world.metric('isthmus_source_lag_seconds{source="feed"}')).toBeGreaterThan(
      (await world.metric('isthmus_feed_lag_limit_seconds')) ?? Number.POSITIVE_INFINITY,
    );
    await world.read();
    expect((await world.glance()).join()).toMatch(/^Over after .*lag/);
  });

  it('9: a damaged block rings at once, with path and offset', async () => {
    await using world = await AlarmWorld.open();
    const offset = world.feed.files.get(world.chunk)?.length ?? 0;
    world.feed.append(world.chunk, Buffer.alloc(200, 0xff));
    await world.read();
    const { alarms } = await world.status();
    expect(alarms).toMatchObject([{ about: 'feed', kind: 'stopped' }]);
    expect(alarms[0]?.message).toContain(`${world.chunk} at byte ${offset}`);
    expect((await world.glance()).join()).toContain('Alarm: feed: the feed is not read on');
    expect(await world.metric(raised('stopped'))).toBe(1);
  });

  it('9: distrusted triggers ring', async () => {
    await using world = await AlarmWorld.open();
    const { account, index } = world.services;
    await sql`update accounts set triggers_distrusted_at = ${world.now()} where id = ${account.id}`.execute(index.db);
    expect((await world.status()).alarms).toMatchObject([{ about: 'trigger', kind: 'distrusted' }]);
    expect((await world.glance()).join()).toContain('Alarm: trigger: triggers contradicted the feed');
    expect(await world.metric('isthmus_triggers_distrusted')).toBe(1);
  });
});
