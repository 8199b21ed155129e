import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { notingTrouble } from '../../../activities/noting-trouble.ts';
import { RunWatch } from '../../../activities/observability/run-watch.ts';
import { wantReconcile } from '../../../activities/want-reconcile.ts';
import { federationSchema } from '../../../schema/federation/federation.ts';
import { type NewFinding, recordFindings } from '../../../schema/index/findings.ts';
import { awaitDecision, decideRun, finishRun, type NewRun, startRun, stepRun } from '../../../schema/index/runs.ts';
import { readSources, upsertSource } from '../../../schema/index/sources.ts';
import { AlarmWorld } from './alarm-world.ts';

const DAY = 86_400;
const LISTING: NewRun = { judge: 'listing', prefix: '' };
const SINK: NewRun = { judge: 'sink', prefix: '', sink: 'vast' };

const finding = (name: string, more: Partial<NewFinding> = {}): NewFinding => ({
  ...{ container: 'lake', name, difference: 'not-listed', cause: 'missed-by-both', state: 'repaired', evidence: {} },
  ...more,
});

/** A run with what it found, which has ended. */
async function judged(world: AlarmWorld, run: NewRun, findings: readonly NewFinding[] = [], previousRun?: number) {
  const { account, index } = world.services;
  const id = await startRun(index.db, account.id, run);
  await recordFindings(index.db, { accountId: account.id, runId: id, previousRun }, findings);
  const counts = { 'cause.missed-by-both': findings.length };
  await sql`update runs set counts = ${JSON.stringify(counts)}::jsonb where id = ${id}`.execute(index.db);
  await finishRun(index.db, id, { outcome: 'complete' });
  return id;
}

const ofJudges = (alarms: readonly { readonly about: string; readonly kind: string }[]) =>
  alarms.filter(({ about }) => about !== 'feed').map(({ about, kind }) => `${about} ${kind}`);

describe('9: alarms of who judges, each in the log, in status and in a metric', () => {
  it('9: nothing rings while account and sink are judged in time; two days later both do', async () => {
    await using world = await AlarmWorld.open();
    await judged(world, LISTING);
    await judged(world, SINK);
    world.pass(2 * DAY - 60);
    expect(ofJudges((await world.status()).alarms)).toEqual([]);
    world.pass(120);
    const { alarms, told, judges } = await world.status();
    expect(ofJudges(alarms)).toEqual(['listing overdue', 'sink:vast overdue']);
    expect(told.join('\n')).toContain('ALARM  sink:vast: nothing newer than');
    expect(judges).toMatchObject([
      { judge: 'listing', everyHours: 24, last: { outcome: 'complete' } },
      { judge: 'sink', sink: 'vast', everyHours: 24 },
    ]);
    expect((await world.glance()).filter((line) => line.includes('was judged by'))).toHaveLength(2);
    expect(await world.metric('isthmus_alarm_raised{source="sink:vast",alarm="overdue"}')).toBe(1);
    // What the alert rules compare, by Prometheus' own clock.
    for (const of of ['{judge="listing",sink=""}', '{judge="sink",sink="vast"}']) {
      const good = (await world.metric(`isthmus_reconcile_last_good_timestamp_seconds${of}`)) ?? Number.NaN;
      const every = await world.metric(`isthmus_reconcile_expected_interval_seconds${of}`);
      expect(every).toBe(DAY);
      expect(world.now() / 1000 - good).toBeGreaterThan(2 * DAY);
      expect(world.now() / 1000 - good).toBeLessThan(2 * DAY + 120);
    }
    await judged(world, LISTING);
    await sql`update runs set started_at = started_at + ${2 * DAY * 1000}::bigint`.execute(world.services.index.db);
    expect(ofJudges((await world.status()).alarms)).toEqual([]);
  });

  it('a run that waits for a person rings until somebody has decided, and status says what decides it', async () => {
    await using world = await AlarmWorld.open();
    const { account, index } = world.services;
    const waiting = 'isthmus_reconcile_waiting_since_timestamp_seconds{judge="listing",sink=""}';
    const run = await startRun(index.db, account.id, LISTING);
    expect(await world.glance()).toEqual([]);
    expect(await world.metric(waiting)).toBe(0);
    expect(await world.metric('isthmus_reconcile_moved_timestamp_seconds{judge="listing",sink=""}')).toBeGreaterThan(0);
    await awaitDecision(index.db, run);
    expect(await world.glance()).toEqual([expect.stringContaining(`isthmus reconcile approve ${run}`)]);
    const { alarms, lines } = await world.status();
    expect(ofJudges(alarms)).toEqual(['listing waiting-approval']);
    expect(lines.join('\n')).toMatch(new RegExp(`WAITS for approval since .*: isthmus reconcile plan ${run}, then`));
    expect(await world.metric(waiting)).toBeGreaterThan(0);
    expect(await world.metric('isthmus_reconcile_moved_timestamp_seconds{judge="listing",sink=""}')).toBe(0);
    await decideRun(index.db, run, { decision: 'rejected', who: 'ada' });
    expect(await world.glance()).toEqual([expect.stringMatching(/^Over after .*waiting-approval/)]);
    expect(await world.metric(waiting)).toBe(0);
  });

  it('9: a run that does no step any more rings after a quarter of an hour, and one that failed at once', async () => {
    await using world = await AlarmWorld.open();
    const { account, index } = world.services;
    const run = await startRun(index.db, account.id, SINK);
    world.pass(14 * 60);
    expect(ofJudges((await world.status()).alarms)).toEqual([]);
    world.pass(120);
    expect(ofJudges((await world.status()).alarms)).toEqual(['sink:vast stuck']);
    const { signal } = new AbortController();
    const away = async () => {
      throw new Error('the view is away');
    };
    await expect(notingTrouble(world.services, run, signal, away)).rejects.toThrow('the view is away');
    expect(ofJudges((await world.status()).alarms)).toEqual(['sink:vast failed']);
    // A step makes it old.
    expect(await stepRun(index.db, run, 0, {})).toBe(true);
    await sql`update runs set moved_at = ${Math.round(world.now())} where id = ${run}`.execute(index.db);
    expect(ofJudges((await world.status()).alarms)).toEqual([]);
    await finishRun(index.db, run, { outcome: 'failed', reason: 'the view is away' });
    const { alarms } = await world.status();
    expect(ofJudges(alarms)).toEqual(['sink:vast failed']);
    await world.glance();
    expect(await world.metric('isthmus_reconcile_failed{judge="sink",sink="vast"}')).toBe(1);
    expect(await world.metric('isthmus_reconcile_runs{judge="sink",sink="vast",outcome="failed"}')).toBe(1);
  });

  it('drift is counted by cause and state, and what three runs in a row found rings', async () => {
    await using world = await AlarmWorld.open();
    const again = finding('again', { state: 'open' });
    const noDrift = finding('busy', { cause: 'changed-since', state: 'explained' });
    const first = await judged(world, LISTING, [again, noDrift]);
    const second = await judged(world, LISTING, [again, noDrift], first);
    expect(await world.glance()).toEqual([]);
    await judged(world, LISTING, [again, noDrift, finding('x'), finding('y')], second);
    expect(await world.glance()).toEqual([expect.stringContaining('three runs in a row found the same drift')]);
    const of = 'judge="listing",sink="",cause="missed-by-both"';
    expect(await world.metric(`isthmus_drift_names{${of}}`)).toBe(4);
    expect(await world.metric(`isthmus_drift_findings{${of},state="repaired"}`)).toBe(2);
    expect(await world.metric(`isthmus_drift_findings{${of},state="open"}`)).toBe(1);
    expect(await world.metric(`isthmus_drift_repeated_findings{${of}}`)).toBe(1);
    expect(await world.metric('isthmus_drift_limit_names')).toBe(1_000);
    await judged(world, LISTING);
    await world.glance();
    expect(await world.metric(`isthmus_drift_repeated_findings{${of}}`)).toBeUndefined();
  });
});

it('9: a run of the inventory rule that ended as Failed is why its judge is overdue, until a report is judged', async () => {
  await using world = await AlarmWorld.open();
  const { account, index } = world.services;
  const federation = federationSchema.parse({
    ...{ name: 'lake', account: { name: 'contoso' }, sources: { inventory: { container: 'inventory' } } },
    ...{ sinks: { vast: { kind: 'fileView', root: '/x' } }, rules: [{ prefix: '', authority: 'blob', sink: 'vast' }] },
  });
  await wantReconcile(
    { ...world.services, federation },
    {
      ...{ kind: 'inventory-completed', account: 'contoso', rule: 'daily', status: 'Failed', eventId: 'e' },
      ...{ message: 'the container is away', manifest: undefined },
    },
  );
  // The schedule's own word does not hide it.
  const waiting = {
    accountId: account.id,
    source: 'inventory',
    state: 'waiting',
    reason: 'there is no report',
  } as const;
  await upsertSource(index.db, waiting);
  const why = async () => {
    const inventory = (await readSources(index.db, account.id)).find(({ source }) => source === 'inventory');
    const heads = await new RunWatch(federation).glance(index.db, account.id, world.now() + 3 * DAY * 1000, {
      inventory,
      pauses: {},
    });
    return heads[0]?.alarms[0]?.message;
  };
  expect(await why()).toContain('a run of the inventory rule daily ended as Failed: the container is away');
  await upsertSource(index.db, { accountId: account.id, source: 'inventory', state: 'judged', detail: { run: 1 } });
  expect(await why()).toContain('no report came');
});
