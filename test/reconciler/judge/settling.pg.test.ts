import { describe, expect, it } from 'vitest';
import { finishReconcileRun } from '../../../reconciler/finish.ts';
import { judgeRun } from '../../../reconciler/judge/judge-run.ts';
import type { Judging } from '../../../reconciler/judging.ts';
import { prepareRun } from '../../../reconciler/prepare.ts';
import { RunLedger } from '../../../reconciler/run/ledger.ts';
import { stageRun } from '../../../reconciler/stage.ts';
import { publishRules } from '../../../schema/index/authority-revisions.ts';
import { type Finding, readFindings } from '../../../schema/index/findings.ts';
import { readRun } from '../../../schema/index/runs.ts';
import { upsertSource } from '../../../schema/index/sources.ts';
import { testIndex } from '../../support/postgres.ts';
import { rowsOf, writeReport } from '../support/report.ts';
import { settled } from '../support/settled.ts';
import { EVERYTHING, makeWorld, NEVER, type World } from '../support/world.ts';

const MINUTE = 60_000;
const LISTING = { judge: 'listing' } as const;

const found = (world: World, runId: number) => readFindings(world.index.db, runId, { limit: 1_000 });

function told(findings: readonly Finding[]) {
  return Object.fromEntries(
    findings.map(({ container, name, difference, cause, state }) => [
      `${container}/${name}`,
      [difference, cause, state],
    ]),
  );
}

function withLooks(judging: Judging, looksPerRun: number): Judging {
  return {
    ...judging,
    federation: { ...judging.federation, reconcile: { ...judging.federation.reconcile, looksPerRun } },
  };
}

describe('what a run found', () => {
  it('has one cause each, with what it is told by, and is mended', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 10);
    const { account, federation } = world.judging;
    const feedRead: Judging = {
      ...world.judging,
      federation: {
        ...federation,
        sources: { ...federation.sources, changeFeed: { pollSeconds: 1, settleSeconds: 0, lagLimitSeconds: 60 } },
      },
    };
    const blob = (name: string) => world.blobs.create('even').get(name);
    world.blobs.delete('even', 'n000');
    world.blobs.put('even', 'new');
    world.blobs.put('even', 'n002', 'another version');
    const [tiered, tagged, filled] = [blob('n004'), blob('n006'), blob('n008')];
    if (tiered === undefined || tagged === undefined || filled === undefined) throw new Error('no blobs');
    tiered.attributes = { ...tiered.attributes, tier: 'Cool' };
    tagged.attributes = { ...tagged.attributes, metadata: { a: '1' } };
    await db.index.db.updateTable('entries').set({ tier: null }).where('head', '=', 'n008').execute();
    world.blobs.later(10 * MINUTE);
    const applied = world.blobs.time + MINUTE;
    await upsertSource(db.index.db, { accountId: account.id, source: 'feed', state: 'tailing', applied });
    await upsertSource(db.index.db, { accountId: account.id, source: 'trigger', state: 'open', applied: 5 });

    const { runId } = await prepareRun(feedRead, LISTING, NEVER);
    await judgeRun(feedRead, runId, NEVER);
    await world.answerLooks();
    await finishReconcileRun(feedRead, runId, { mostMs: 0, pollMs: 1 }, NEVER);
    const findings = await found(world, runId);
    expect(told(findings)).toEqual({
      'even/n000': ['not-listed', 'missed-by-both', 'repaired'],
      'even/new': ['not-indexed', 'missed-by-both', 'repaired'],
      'even/n002': ['other-version', 'missed-by-both', 'repaired'],
      'even/n004': ['other-attributes', 'tier-moved', 'repaired'],
      'even/n006': ['other-attributes', 'metadata-unknown', 'repaired'],
    });
    for (const { evidence } of findings) expect(evidence.heard).toEqual({ trigger: 5, feed: applied });
    const version = findings.find(({ name }) => name === 'n002')?.evidence;
    const etag = blob('n002')?.attributes.etag;
    expect(version).toMatchObject({
      judge: { etag, length: 15 },
      index: { live: true, length: 4, source: 'look' },
      look: { live: true, etag, at: world.blobs.time },
    });
    const { counts } = (await readRun(db.index.db, runId)) ?? {};
    expect(counts).toMatchObject({
      ...{ findings: 5, filled: 2, 'cause.missed-by-both': 3, 'cause.tier-moved': 1, 'cause.metadata-unknown': 1 },
      'state.repaired': 5,
    });
    expect(await world.reconcile(LISTING)).toMatchObject({ agreed: 10, looks: 0, filled: 0, missing: 0 });
  });

  it('came by a rule where nothing was judged under it yet', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index, [{ prefix: 'even/', authority: 'blob', sink: 'vast' }]);
    await settled(world, 4);
    await publishRules(db.index, world.judging.account.id, [EVERYTHING], 'more');
    const { runId } = await world.reconcile(LISTING);
    const causes = (await found(world, runId)).map(({ container, cause }) => [container, cause]);
    expect(causes).toEqual([
      ['odd', 'rule-changed'],
      ['odd', 'rule-changed'],
    ]);
  });

  it('came by a rule where only a report of what was made of late was judged under it', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index, [{ prefix: 'even/', authority: 'blob', sink: 'vast' }]);
    await settled(world, 4);
    await publishRules(db.index, world.judging.account.id, [EVERYTHING], 'more');
    const rows = rowsOf(world.blobs).filter(({ container }) => container === 'even');
    writeReport(world.blobs, { rows, filters: { creationTime: { lastNDays: 1 } } });
    expect(await world.reconcile({ judge: 'inventory' })).toMatchObject({ outcome: 'complete', listed: 2 });
    const { runId } = await world.reconcile(LISTING);
    const odd = (await found(world, runId)).filter(({ container }) => container === 'odd');
    expect(odd.map(({ cause }) => cause)).toEqual(['rule-changed', 'rule-changed']);
  });

  it('7: stays with a note where no look is answered, deletes nothing, and is known again', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 10);
    world.blobs.delete('even', 'n000');
    world.blobs.put('odd', 'n001', 'another version');
    world.blobs.later(10 * MINUTE);
    world.blobs.onLook = () => {
      throw new Error('403 AuthorizationFailure');
    };
    for (const streak of [1, 2, 3]) {
      const summary = await world.reconcile(LISTING);
      expect(summary).toMatchObject({ outcome: 'complete', looks: 2 });
      expect(summary.reason).toBe('2 looks are not answered yet (403 AuthorizationFailure)');
      const findings = await found(world, summary.runId);
      expect(told(findings)).toEqual({
        'even/n000': ['not-listed', 'missed-by-triggers', 'looking'],
        'odd/n001': ['other-version', 'missed-by-triggers', 'looking'],
      });
      expect(findings.map((finding) => [finding.streak, finding.settledAt])).toEqual([
        [streak, undefined],
        [streak, undefined],
      ]);
      for (const { evidence } of findings) expect(evidence.note).toMatch(/not answered .*403/);
      expect((await world.names()).length).toBe(10);
      world.blobs.later(MINUTE);
    }
  });

  it('is looked at as far as the run may, and the next run goes on', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 10);
    for (const at of [0, 2]) world.blobs.delete('even', `n00${at}`);
    for (const at of [1, 3, 5]) world.blobs.put('odd', `n00${at}`, 'another version');
    world.blobs.later(10 * MINUTE);
    const few = withLooks(world.judging, 2);
    const looks: number[] = [];
    for (let round = 0; round < 3; round++) {
      const { runId } = await prepareRun(few, LISTING, NEVER);
      await judgeRun(few, runId, NEVER);
      looks.push(await world.answerLooks());
      const { reason } = await finishReconcileRun(few, runId, { mostMs: 0, pollMs: 1 }, NEVER);
      const open = (await found(world, runId)).filter(({ state }) => state === 'open');
      expect(open.length).toBe(Math.max(0, 3 - 2 * round));
      for (const { evidence } of open) expect(evidence.note).toMatch(/looksPerRun/);
      if (open.length > 0) expect(reason).toMatch(/not looked at, as a run asks for at most 2 looks/);
      else expect(reason).toBeUndefined();
    }
    expect(looks).toEqual([2, 2, 1]);
    expect(await world.reconcile(LISTING)).toMatchObject({ agreed: 8, looks: 0, missing: 0 });
  });
});

describe('two that drive one run', () => {
  it('do no step twice: the slower one fails, to try again from where the run is', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 10);
    world.blobs.put('odd', 'n001', 'another version');
    world.blobs.later(10 * MINUTE);
    const { runId } = await prepareRun(world.judging, LISTING, NEVER);
    await stageRun(world.judging, runId, NEVER);
    const slower = await RunLedger.open(db.index, runId);
    await judgeRun(world.judging, runId, NEVER);
    await expect(slower.step(async () => ({ counts: { looks: 1 } }))).rejects.toMatchObject({
      ...{ code: 'ISTHMUS_RUN_MOVED', consequence: 'retry' },
    });
    await world.answerLooks();
    const both = [0, 1].map(() => finishReconcileRun(world.judging, runId, { mostMs: 0, pollMs: 1 }, NEVER));
    const ends = await Promise.allSettled(both);
    expect(ends.some(({ status }) => status === 'fulfilled')).toBe(true);
    expect(await readRun(db.index.db, runId)).toMatchObject({ outcome: 'complete', counts: { looks: 1, findings: 1 } });
    // A run that has ended takes no step more.
    await expect((await RunLedger.open(db.index, runId)).step(async () => ({}))).rejects.toThrow(/somebody else/);
  });
});
