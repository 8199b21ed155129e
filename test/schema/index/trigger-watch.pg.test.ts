import { describe, expect, it } from 'vitest';
import { ensureAccount } from '../../../schema/index/accounts.ts';
import type { Index } from '../../../schema/index/database.ts';
import { latenessAt, medianLateness } from '../../../schema/index/lateness.ts';
import { type TriggerSource, upsertSource } from '../../../schema/index/sources.ts';
import {
  addTriggerTally,
  noTally,
  purgeTriggerMinutes,
  readTriggerMinutes,
  type TriggerTally,
} from '../../../schema/index/trigger-minutes.ts';
import {
  claimCanary,
  hearTriggers,
  noteCanary,
  noteReceived,
  noteUntold,
  readListening,
  readTriggerWatch,
} from '../../../schema/index/trigger-watch.ts';
import { testIndex } from '../../support/postgres.ts';

const MINUTE = 60_000;
const T0 = Date.UTC(2026, 10, 21, 12);
const MARGIN = 20_000;

async function listening(index: Index) {
  const { id: accountId } = await ensureAccount(index, 'lake');
  const of = { accountId, source: 'trigger' } as const;
  await hearTriggers(index.db, of, T0);
  const watch = async () => (await readTriggerWatch(index.db, accountId))[0];
  return { accountId, of, watch };
}

describe('9: what is kept of the sender of triggers', () => {
  it('9: a change that the feed tells and no trigger does is kept until anything is received, and the first one stays', async () => {
    await using db = await testIndex();
    const { accountId, of, watch } = await listening(db.index);
    const untold = (time: number, now: number) =>
      noteUntold(db.index.db, accountId, { time, name: `c/${time}\0` }, { now, margin: MARGIN });
    await untold(T0 + MINUTE, T0 + 2 * MINUTE);
    await untold(T0 + 2 * MINUTE, T0 + 3 * MINUTE);
    expect((await watch())?.untold).toEqual({
      time: T0 + MINUTE,
      notedAt: T0 + 2 * MINUTE,
      name: `c/${T0 + MINUTE}\ufffd`,
    });
    await noteReceived(db.index.db, of, { at: T0 + 4 * MINUTE, canary: undefined, margin: MARGIN });
    expect(await watch()).toMatchObject({ untold: undefined, receivedAt: T0 + 4 * MINUTE });
  });

  it('9: nothing is expected of what is older than the listening, nor of what triggers have told as new', async () => {
    await using db = await testIndex();
    const { accountId, watch } = await listening(db.index);
    const untold = (time: number) =>
      noteUntold(db.index.db, accountId, { time, name: 'c/a' }, { now: T0 + 9 * MINUTE, margin: MARGIN });
    await untold(T0 - MINUTE);
    await untold(T0);
    expect((await watch())?.untold).toBeUndefined();
    await upsertSource(db.index.db, { accountId, source: 'trigger', state: 'receiving', applied: T0 + 2 * MINUTE });
    await untold(T0 + MINUTE);
    await untold(T0 + 2 * MINUTE + MARGIN);
    expect((await watch())?.untold).toBeUndefined();
    expect(await readListening(db.index.db, accountId)).toEqual({ since: T0, told: T0 + 2 * MINUTE });
    await untold(T0 + 2 * MINUTE + MARGIN + 1);
    expect((await watch())?.untold).toBeDefined();
  });

  it('9: after a break of the listening, what was missed before it is forgotten; turns that follow each other are none', async () => {
    await using db = await testIndex();
    const { accountId, of, watch } = await listening(db.index);
    await claimCanary(db.index.db, of, { now: T0, everyMs: MINUTE });
    await noteUntold(db.index.db, accountId, { time: T0 + 1, name: 'c/a' }, { now: T0 + 2, margin: MARGIN });
    await hearTriggers(db.index.db, of, T0 + 4 * MINUTE);
    expect(await watch()).toMatchObject({ since: T0, untold: { time: T0 + 1 }, canary: { waitingSince: T0 } });
    await hearTriggers(db.index.db, of, T0 + 10 * MINUTE);
    expect(await watch()).toMatchObject({ since: T0 + 10 * MINUTE, heardAt: T0 + 10 * MINUTE, untold: undefined });
    expect((await watch())?.canary.waitingSince).toBeUndefined();
  });

  it("9: a canary is one worker's to write when it is due, and waits for its own trigger, not for another or an older one", async () => {
    await using db = await testIndex();
    const { of, watch } = await listening(db.index);
    const claim = (now: number) => claimCanary(db.index.db, of, { now, everyMs: 5 * MINUTE });
    const claims = await Promise.all([claim(T0), claim(T0), claim(T0)]);
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await claim(T0 + 4 * MINUTE)).toBe(false);
    await noteCanary(db.index.db, of, 'refused');
    expect((await watch())?.canary).toEqual({ writtenAt: T0, waitingSince: T0, error: 'refused' });
    expect(await claim(T0 + 5 * MINUTE)).toBe(true);
    await noteCanary(db.index.db, of, undefined);
    expect((await watch())?.canary).toEqual({ writtenAt: T0 + 5 * MINUTE, waitingSince: T0, error: undefined });
    const received = (canary: number | undefined) =>
      noteReceived(db.index.db, of, { at: T0 + 6 * MINUTE, canary, margin: MARGIN });
    await received(undefined);
    await received(T0 - MARGIN - 1);
    expect((await watch())?.canary.waitingSince).toBe(T0);
    await received(T0 - MARGIN);
    expect((await watch())?.canary.waitingSince).toBeUndefined();
  });

  it('9: a clock that is far ahead neither holds back the canaries of others nor the wait for their triggers', async () => {
    await using db = await testIndex();
    const { of, watch } = await listening(db.index);
    const before = Date.now();
    const claim = (now: number, everyMs = MINUTE) => claimCanary(db.index.db, of, { now, everyMs });
    expect(await claim(before + 86_400_000)).toBe(true);
    const { writtenAt = 0, waitingSince = 0 } = (await watch())?.canary ?? {};
    expect([writtenAt, waitingSince].map((at) => at >= before && at <= before + 10 * MINUTE)).toEqual([true, true]);
    expect(await claim(writtenAt + MINUTE - 1)).toBe(false);
    // As one that did has left it.
    const ahead = before + 7 * 86_400_000;
    await db.index.db.updateTable('trigger_watch').set({ canary_at: ahead, canary_waiting: ahead }).execute();
    expect(await claim(before)).toBe(true);
    expect((await watch())?.canary).toMatchObject({ writtenAt: before, waitingSince: before });
  });

  it('9: a clock that is far behind claims no canary that another has just written, and dates no wait back', async () => {
    await using db = await testIndex();
    const { of, watch } = await listening(db.index);
    const now = Date.now();
    const claim = (at: number) => claimCanary(db.index.db, of, { now: at, everyMs: MINUTE });
    expect(await claim(now)).toBe(true);
    expect(await claim(now - 20 * MINUTE)).toBe(false);
    expect((await watch())?.canary).toMatchObject({ writtenAt: now, waitingSince: now });
    // Due by that clock too, as nobody else has written one for long; it is waited for since the first.
    const due = now - 22 * MINUTE;
    await db.index.db.updateTable('trigger_watch').set({ canary_at: due }).execute();
    expect(await claim(due + MINUTE)).toBe(true);
    expect((await watch())?.canary).toMatchObject({ writtenAt: due + MINUTE, waitingSince: now });
  });

  it('counts each transport by itself, and what told first for both', async () => {
    await using db = await testIndex();
    const { accountId } = await listening(db.index);
    const add = (source: TriggerSource, tally: Partial<TriggerTally>) =>
      addTriggerTally(db.index.db, { accountId, source }, T0 + MINUTE, { ...noTally(), ...tally });
    await Promise.all([
      add('trigger', { received: 4, late: 1, byTrigger: 3, byFeed: 2 }),
      add('event-hubs', { received: 7 }),
      add('event-hubs', { received: 1, late: 2 }),
    ]);
    const minutes = await readTriggerMinutes(db.index.db, accountId, T0 + 2 * MINUTE);
    const first = { byTrigger: 3, byFeed: 2 };
    expect(minutes.trigger.lastHour).toMatchObject({ received: 4, late: 1, ...first });
    expect(minutes['event-hubs'].lastHour).toMatchObject({ received: 8, late: 2, ...first });
    expect(minutes.trigger.recent).toMatchObject({ received: 4, late: 1, lateSince: T0 + MINUTE });
    expect(minutes['event-hubs'].recent).toMatchObject({ received: 8, late: 2, lateSince: T0 + MINUTE });
  });

  it('counts what several workers add to the same minutes, and tells lateness of the last ten', async () => {
    await using db = await testIndex();
    const { accountId, of } = await listening(db.index);
    const tally = { ...noTally(), received: 4, late: 1, byTrigger: 3, byFeed: 2 };
    tally.lateness[latenessAt(0.4)] = 3;
    tally.lateness[latenessAt(9_999)] = 1;
    const now = T0 + 90 * MINUTE;
    const add = (minutesAgo: number) => addTriggerTally(db.index.db, of, now - minutesAgo * MINUTE, tally);
    await Promise.all([add(0), add(0), add(5), add(20), add(61)]);
    const { lastHour, recent } = (await readTriggerMinutes(db.index.db, accountId, now)).trigger;
    expect(lastHour).toMatchObject({ received: 16, late: 4, byTrigger: 12, byFeed: 8 });
    expect(lastHour.lateness.reduce((sum, count) => sum + count, 0)).toBe(16);
    expect(recent).toEqual({ received: 12, late: 3, lateMinutes: 2, lateSince: now - 5 * MINUTE });
    expect(medianLateness(lastHour.lateness)).toBeCloseTo(0.25 + 0.25 * (8 / 12));
    await purgeTriggerMinutes(db.index.db, accountId, now);
    expect((await readTriggerMinutes(db.index.db, accountId, now)).trigger.lastHour.received).toBe(8);
  });
});
