import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { rewindFeed } from '../../../activities/feed/rewind.ts';
import { ReceivedTriggers } from '../../../activities/triggers/received-triggers.ts';
import type { BlobEvent } from '../../../namespace/change.ts';
import { readTriggerMinutes } from '../../../schema/index/trigger-minutes.ts';
import { claimCanary, readTriggerWatch } from '../../../schema/index/trigger-watch.ts';
import { avroBlock, feedRecord } from '../azure/memory-feed.ts';
import { SenderWorld } from './sender-world.ts';

const { signal } = new AbortController();
const raised = (kind: string) => `isthmus_alarm_raised{source="trigger",alarm="${kind}"}`;
const MISSED = 'isthmus_trigger_missed_since_timestamp_seconds{source="trigger"}';

const inLake = (at: number, name: string) => ({
  ...feedRecord(at, name),
  subject: `/blobServices/default/containers/lake/blobs/${name}`,
});

describe('9: a sender of triggers that stops', () => {
  it('9: is told 15 minutes after the feed has told what no trigger did, and is over when anything comes', async () => {
    await using world = await SenderWorld.open();
    await world.triggersTell(0);
    await world.feedTells(0);
    expect(await world.alarms()).toEqual([]);

    await world.passListening(5);
    await world.feedTells(2, 3);
    await world.passListening(14);
    expect(await world.alarms()).toEqual([]);
    await world.passListening(1);
    expect(await world.alarms()).toEqual(['unannounced']);
    const missed = (await world.metric(MISSED)) ?? Number.POSITIVE_INFINITY;
    expect(world.services.clock.now() / 1000 - missed).toBeGreaterThan(900);
    expect(await world.metric(raised('unannounced'))).toBe(1);
    // What the alert rule compares, by Prometheus' own clock.
    expect(await world.metric('isthmus_trigger_late_limit_seconds')).toBe(900);
    const { alarms, lines } = await world.status();
    expect(alarms).toMatchObject([{ about: 'trigger', kind: 'unannounced' }]);
    expect(alarms[0]?.message).toMatch(/change of c\/blob-3 .*event subscription/);
    expect(lines.join('\n')).toContain('ALARM  trigger: no trigger was received since');

    await world.triggersTell(3);
    expect(await world.alarms()).toEqual([]);
    expect(await world.metric(MISSED)).toBe(0);
    expect(await world.metric(raised('unannounced'))).toBe(0);
  });

  it('9: is not missed where an old feed is read for the first time', async () => {
    await using world = await SenderWorld.open();
    world.minute = 100;
    await world.listen();
    await world.feedTells(1, 2, 50, 99);
    expect((await world.status()).trigger?.lastHour).toMatchObject({ firstByFeed: 0, wonByTrigger: null });
    await world.passListening(60);
    expect(await world.alarms()).toEqual([]);
  });

  it('9: is not missed where the feed brings an older change that one trigger lost, and later ones were told', async () => {
    await using world = await SenderWorld.open();
    await world.listen();
    await world.triggersTell(4);
    await world.feedTells(3, 4);
    await world.passListening(60);
    expect(await world.alarms()).toEqual([]);
  });

  it('9: is not missed for what no rule names', async () => {
    await using world = await SenderWorld.open({ rules: [{ prefix: 'other/', authority: 'blob', sink: 'vast' }] });
    await world.listen();
    await world.feedTells(3, 4);
    await world.passListening(60);
    expect(await world.alarms()).toEqual([]);
  });

  it('9: is not missed where what is old is news in the feed, beside newer changes that no rule names', async () => {
    await using world = await SenderWorld.open({ rules: [{ prefix: 'lake/', authority: 'blob', sink: 'vast' }] });
    world.minute = 100;
    await world.listen();
    world.feed.append(
      `${world.feed.shard(0)}00000.avro`,
      avroBlock([inLake(60, 'old'), feedRecord(101 * 60, 'elsewhere')]),
    );
    await world.feedTells();
    expect(await world.names()).toEqual(['old']);
    await world.passListening(20);
    expect(await world.alarms()).toEqual([]);
  });

  it('9: is not missed while the intake is paused, nor after it for what came meanwhile', async () => {
    await using world = await SenderWorld.open();
    await world.listen();
    await world.feedTells(1);
    await world.passListening(16);
    expect(await world.alarms({ trigger: { reason: 'a test' } })).toEqual([]);
    expect(await world.metric(MISSED)).toBe(0);
    expect(await world.alarms()).toEqual(['unannounced']);
    world.minute += 30;
    // Temporal is away, and nobody can tell that it is paused.
    expect(await world.alarms()).toEqual([]);
    await world.feedTells(40);
    await world.passListening(30);
    expect(await world.alarms()).toEqual([]);
    await world.feedTells(70);
    await world.passListening(16);
    expect(await world.alarms()).toEqual(['unannounced']);
  });

  it('9: is not missed while messages wait, nor while triggers are distrusted', async () => {
    await using world = await SenderWorld.open();
    await world.listen();
    await world.feedTells(1);
    await world.passListening(16);
    expect(await world.alarms()).toEqual(['unannounced']);
    world.queue.send({ what: 'waits' });
    expect(await world.alarms()).toEqual([]);
    // What cannot be read proves no sender.
    await world.listen();
    expect(await world.alarms()).toEqual(['unannounced']);
    const { account, index } = world.services;
    await sql`update sources set state = 'distrusted' where account_id = ${account.id}`.execute(index.db);
    expect(await world.alarms()).toEqual([]);
  });

  it('9: is nobody where the federation names no triggers: the feed keeps no account of them', async () => {
    await using world = await SenderWorld.open({ sources: { serviceBus: undefined } });
    await world.feedTells(1, 2);
    const { account, index, clock } = world.services;
    const { rows } = await sql`select from trigger_minutes`.execute(index.db);
    expect(rows).toEqual([]);
    expect((await readTriggerMinutes(index.db, account.id, clock.now())).trigger.lastHour.byFeed).toBe(0);
  });
});

describe('triggers beside the feed', () => {
  it('are counted where they told first and where the feed did, and how late they came', async () => {
    await using world = await SenderWorld.open();
    await world.passListening(10);
    await world.triggersTell(9, 10, 8);
    await world.feedTells(7, 8, 9, 10);
    await world.triggersTell(7);
    const { trigger, lines } = await world.status();
    expect(trigger).toMatchObject({
      lastHour: { received: 4, late: 0, firstByTrigger: 3, firstByFeed: 1, wonByTrigger: 0.75 },
      canary: null,
      lateLimitSeconds: 900,
    });
    expect(trigger?.lastHour.medianLatenessSeconds).toBeGreaterThan(60);
    expect(lines).toContain('    told first: 3 by a trigger (75 %), 1 by the feed');
    expect(lines.join('\n')).toMatch(/last hour by Service Bus: 4 triggers, half of them within /);
    expect(await world.metric('isthmus_trigger_told_first_total{first="trigger"}')).toBe(3);
    expect(await world.metric('isthmus_trigger_told_first_total{first="feed"}')).toBe(1);
    expect(await world.metric('isthmus_trigger_lateness_seconds_count')).toBe(4);
    // Read again it is no news.
    await world.feedTells();
    expect((await world.status()).trigger?.lastHour).toMatchObject({ firstByTrigger: 3, firstByFeed: 1 });
  });

  it('are counted where a shard tells them in a later turn than another told what is newer', async () => {
    await using world = await SenderWorld.open();
    await world.passListening(10);
    await world.triggersTell(8, 10);
    await world.feedTells(10);
    await world.feedTells(7, 8);
    expect((await world.status()).trigger?.lastHour).toMatchObject({ firstByTrigger: 2, firstByFeed: 1 });
  });

  it('are not counted again where the feed is read again, beside what it tells for the first time', async () => {
    await using world = await SenderWorld.open();
    await world.passListening(10);
    await world.triggersTell(8, 9, 10);
    await world.feedTells(7, 8, 9, 10);
    const { segment } = await rewindFeed(world.services, { seconds: 86_400 * 365, reason: 'a test' }, signal);
    expect(segment).toBe('idx/segments/2026/01/01/0000/meta.json');
    await world.feedTells();
    const counted = async () => (await world.status()).trigger?.lastHour;
    expect(await counted()).toMatchObject({ firstByTrigger: 3, firstByFeed: 1 });
    expect(await world.metric('isthmus_trigger_told_first_total{first="trigger"}')).toBe(3);

    await rewindFeed(world.services, { seconds: 86_400 * 365, reason: 'a test' }, signal);
    await world.passListening(5);
    await world.triggersTell(13, 14);
    await world.feedTells(12, 13, 14);
    expect(await counted()).toMatchObject({ firstByTrigger: 5, firstByFeed: 2 });
  });

  it('9: that come late ring where half of them do, in more than one minute', async () => {
    await using world = await SenderWorld.open();
    await world.listen();
    world.minute = 40;
    await world.triggersTell(20, 21);
    expect(await world.alarms()).toEqual([]);
    world.minute++;
    await world.triggersTell(22);
    expect(await world.alarms()).toEqual(['late']);
    expect(await world.metric(raised('late'))).toBe(1);
    const since = (await world.metric('isthmus_trigger_late_since_timestamp_seconds{source="trigger"}')) ?? 0;
    expect(since).toBeGreaterThan(0);
    const { alarms, lines } = await world.status();
    expect(alarms).toMatchObject([{ kind: 'late' }]);
    expect(lines.join('\n')).toContain(', 3 later than 15 m');
    await world.triggersTell(38, 39, 40, 41);
    expect(await world.alarms()).toEqual([]);
  });
});

describe('9: a canary, where no feed tells of changes', () => {
  const sources = { changeFeed: undefined, canary: { container: 'lake', everySeconds: 300 } };

  it('9: is no longer waited for once its trigger has come, though others came just before', async () => {
    await using world = await SenderWorld.open({ sources });
    const { services } = world;
    const { account, clock, index } = services;
    const told = (name: string): BlobEvent => ({
      ...{ kind: 'event', source: 'trigger', container: 'lake', name, effect: 'put', time: clock.now() },
      ...{ attributes: undefined, sequencer: undefined, epoch: undefined, eventId: name, api: 'PutBlob' },
    });
    const received = new ReceivedTriggers(services, 'trigger');
    await received.listening();
    await received.seen({ events: [told('blob')], subtrees: [] });
    await claimCanary(index.db, { accountId: account.id, source: 'trigger' }, { now: clock.now(), everyMs: 1 });
    await received.seen({ events: [told('.isthmus/canary-test')], subtrees: [] });
    const [watch] = await readTriggerWatch(index.db, account.id);
    expect(watch?.canary.waitingSince).toBeUndefined();
  });

  it('9: is written when it is due, and nothing rings while its trigger comes', async () => {
    await using world = await SenderWorld.open({ sources });
    await world.listen();
    expect(world.canaries).toEqual(['lake/.isthmus/canary-test']);
    await world.canaryComes(0);
    await world.passListening(4);
    expect(world.canaries).toHaveLength(1);
    await world.passListening(1);
    expect(world.canaries).toHaveLength(2);
    await world.canaryComes(5);
    await world.passListening(4);
    expect(await world.alarms()).toEqual([]);
    const { trigger } = await world.status();
    expect(trigger?.canary).toMatchObject({ name: 'lake/.isthmus/canary-test', waitingSince: null, error: null });
  });

  it('9: rings 15 minutes after the first whose trigger did not come, whatever else does, and for whoever looks', async () => {
    await using world = await SenderWorld.open({ sources });
    await world.passListening(15);
    await world.triggersTell(14);
    expect(await world.alarms()).toEqual([]);
    await world.passListening(2);
    expect(await world.alarms()).toEqual(['unannounced']);
    const { alarms, lines } = await world.status();
    expect(alarms[0]?.message).toMatch(/canary lake\/\.isthmus\/canary-test .*event subscription.*filters/);
    expect(lines.join('\n')).toMatch(
      /canary: lake\/\.isthmus\/canary-test was written at .*, its trigger is waited for/,
    );
    await world.canaryComes(16);
    expect(await world.alarms()).toEqual([]);
  });

  it('9: that cannot be written is told with what the account said, and holds up no trigger', async () => {
    await using world = await SenderWorld.open({ sources });
    world.canaryAnswer = () => {
      throw new Error('403: AuthorizationPermissionMismatch');
    };
    await world.triggersTell(0);
    expect(await world.names()).toEqual(['blob-0']);
    await world.passListening(17);
    expect(await world.alarms()).toEqual(['unannounced']);
    const { alarms, lines } = await world.status();
    expect(alarms[0]?.message).toMatch(/cannot be written since .*AuthorizationPermissionMismatch/);
    expect(lines.join('\n')).toMatch(/canary: .* could not be written at .*: 403/);
  });

  it('11: never becomes an entry: neither by its trigger nor by a feed', async () => {
    await using world = await SenderWorld.open({
      sources: { changeFeed: { pollSeconds: 0.1, settleSeconds: 1, lagLimitSeconds: 600 }, canary: sources.canary },
    });
    await world.canaryComes(0);
    await world.triggersTell(1);
    world.feed.append(
      `${world.feed.shard(0)}00000.avro`,
      avroBlock([inLake(120, '.isthmus/canary-test'), inLake(121, '.isthmus/canary-test2')]),
    );
    await world.feedTells();
    expect((await world.names()).toSorted()).toEqual(['.isthmus/canary-test2', 'blob-1']);
    const ignored = (source: string) =>
      world.metric(`isthmus_source_records_total{source="${source}",outcome="canary"}`);
    expect(await ignored('trigger')).toBe(1);
    expect(await ignored('feed')).toBe(1);
  });
});
