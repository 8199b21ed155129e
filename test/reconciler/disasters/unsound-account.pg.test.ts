import { describe, expect, it } from 'vitest';
import { prepareRun } from '../../../reconciler/prepare.ts';
import { stageRun } from '../../../reconciler/stage.ts';
import { IsthmusError } from '../../../schema/errors.ts';
import { publishRules } from '../../../schema/index/authority-revisions.ts';
import { manyWorlds } from '../support/many-worlds.ts';
import { rowsOf, writeReport } from '../support/report.ts';
import { settled } from '../support/settled.ts';
import { hear, ToldAccount } from '../support/told-account.ts';
import { EVERYTHING, NEVER, type World } from '../support/world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const STOP = { percent: 1, names: 3 };
const GUARDED = [{ ...EVERYTHING, stop: STOP }];
const world = manyWorlds();
const JUDGES = ['listing', 'inventory'] as const;

/** What the index takes to be there, and as which version. */
async function liveOf(here: World): Promise<readonly string[]> {
  return (await here.live()).map(({ container, name, attributes }) => `${container}/${name} ${attributes?.etag}`);
}

/** Asks the judge about an account of twenty blobs that are all there. */
async function asked(judge: (typeof JUDGES)[number], here: World, listed = 1) {
  if (judge === 'inventory') {
    const rows = rowsOf(here.blobs);
    writeReport(here.blobs, { rows: rows.slice(0, Math.ceil(rows.length * listed)) });
  }
  here.blobs.lists = listed;
  return here.reconcile({ judge }, STOP);
}

describe('7: an account that does not say what is so deletes nothing', () => {
  it.each(JUDGES.flatMap((judge) => [HOUR, -HOUR].map((ahead) => ({ judge, ahead }))))(
    'its clock is off by an hour: $judge, $ahead ms',
    async ({ judge, ahead }) => {
      const here = await world([EVERYTHING]);
      await settled(here, 20);
      const account = new ToldAccount(here.blobs);
      const told = [1, 2, 3, 4, 5].map((each) => account.put({ container: 'odd', name: `made ${each}` }));
      const before = [
        ...(await liveOf(here)),
        ...told.map(({ name, attributes }) => `odd/${name} ${attributes?.etag}`),
      ];
      if (judge === 'inventory') {
        here.blobs.ahead = ahead;
        // It was begun before they were made, and says that it was an hour later.
        writeReport(here.blobs, { rows: rowsOf(here.blobs).filter(({ name }) => !name.startsWith('made')) });
      }
      await hear(here, 'trigger', told);
      here.blobs.ahead = ahead;
      expect(await here.reconcile({ judge })).toMatchObject({ judge, outcome: 'complete' });
      expect((await liveOf(here)).toSorted()).toEqual(before.toSorted());
    },
  );

  it.each(JUDGES)('it lists half of its names and ends without an error: %s', async (judge) => {
    const here = await world(GUARDED);
    await settled(here, 20);
    const before = await liveOf(here);
    here.blobs.looks.length = 0;
    const summary = await asked(judge, here, 0.5);
    expect(summary).toMatchObject({ judge, outcome: 'guarded', looks: 0, missing: 10 });
    expect(summary.reason).toMatch(/10 of (10|20)/);
    expect(here.blobs.looks.filter((look) => look.includes('/n'))).toEqual([]);
    expect(await liveOf(here)).toEqual(before);
  });

  it.each(JUDGES)('it lists half of its names, few enough to be looked at: %s', async (judge) => {
    const here = await world();
    await settled(here, 20);
    const before = await liveOf(here);
    here.blobs.looks.length = 0;
    if (judge === 'inventory') writeReport(here.blobs, { rows: rowsOf(here.blobs).slice(0, 10) });
    here.blobs.lists = 0.5;
    expect(await here.reconcile({ judge })).toMatchObject({ judge, outcome: 'complete', missing: 10, looks: 10 });
    expect(here.blobs.looks.filter((look) => look.includes('/n'))).toHaveLength(10);
    expect(await liveOf(here)).toEqual(before);
  });

  it.each(JUDGES.flatMap((judge) => [403, 503].map((status) => ({ judge, status }))))(
    'it answers $status to every HEAD: $judge',
    async ({ judge, status }) => {
      const here = await world();
      await settled(here, 20);
      const before = await liveOf(here);
      for (const name of ['n000', 'n002']) here.blobs.delete('even', name);
      here.blobs.later(MINUTE);
      if (judge === 'inventory') writeReport(here.blobs);
      here.blobs.onLook = (what) => {
        if (what.startsWith('inventory/')) return;
        throw new IsthmusError('ISTHMUS_SOURCE_UNAVAILABLE', `it said ${status}`);
      };
      const summary = await here.reconcile({ judge });
      expect(summary).toMatchObject({ judge, missing: 2, looks: 2 });
      expect(summary.reason).toMatch(new RegExp(`2 looks are not answered yet.*${status}`));
      expect(await liveOf(here)).toEqual(before);
    },
  );

  it('it answers 503 to the HEAD of a container that is not listed', async () => {
    const here = await world();
    await settled(here, 20);
    const before = await liveOf(here);
    here.blobs.containers.delete('odd');
    here.blobs.onLook = () => {
      throw new IsthmusError('ISTHMUS_SOURCE_UNAVAILABLE', 'it said 503');
    };
    await here.reconcile({ judge: 'listing' }).catch(() => {});
    expect(await liveOf(here)).toEqual(before);
  });
});

describe('7: rules that move while a judge is at work delete nothing', () => {
  const ruleOf = (prefix: string) => ({ prefix, authority: 'blob', sink: 'vast', stop: STOP }) as const;

  it.each(JUDGES)('a rule that is removed between stage and judge: %s', async (judge) => {
    const here = await world([ruleOf('even/'), ruleOf('odd/')]);
    await settled(here, 20);
    const before = await liveOf(here);
    here.blobs.containers.get('odd')?.clear();
    if (judge === 'inventory') writeReport(here.blobs);
    const { runId } = await prepareRun(here.judging, { judge }, NEVER);
    await stageRun(here.judging, runId, NEVER);
    await publishRules(here.index, here.judging.account.id, [ruleOf('even/')], 'one less');
    here.blobs.looks.length = 0;
    expect(await here.drive(runId)).toMatchObject({ outcome: 'complete', missing: 0, looks: 0 });
    expect(await liveOf(here)).toEqual(before);
  });

  it.each(JUDGES)('a rule that is added between stage and judge: %s', async (judge) => {
    const here = await world([ruleOf('even/'), ruleOf('odd/')]);
    await settled(here, 20);
    const before = await liveOf(here);
    const { account } = here.judging;
    await publishRules(here.index, account.id, [ruleOf('even/')], 'one less');
    if (judge === 'inventory') writeReport(here.blobs);
    const { runId } = await prepareRun(here.judging, { judge }, NEVER);
    await stageRun(here.judging, runId, NEVER);
    // Now every name of it is live, in scope, and not among what was staged.
    await publishRules(here.index, account.id, [ruleOf('even/'), ruleOf('odd/')], 'one more');
    here.blobs.looks.length = 0;
    expect(await here.drive(runId)).toMatchObject({ looks: 0 });
    expect(here.blobs.looks.filter((look) => look.includes('/n'))).toEqual([]);
    expect(await liveOf(here)).toEqual(before);
  });
});

describe('7: a container that is renamed, by making another and deleting it', () => {
  it.each(JUDGES)('waits for approval where it held more than the percent stop lets go: %s', async (judge) => {
    const here = await world(GUARDED);
    await settled(here, 20);
    const before = await here.names();
    renamed(here);
    if (judge === 'inventory') writeReport(here.blobs);
    expect(await here.reconcile({ judge }, STOP)).toMatchObject({ outcome: 'guarded' });
    expect((await here.names('odd/')).length).toBe(10);
    expect(await here.names('even/')).toEqual(before.filter((key) => key.startsWith('even/')));
    expect((await here.names('moved/')).length).toBe(10);

    here.blobs.later(10 * MINUTE);
    if (judge === 'inventory') writeReport(here.blobs);
    await here.reconcile({ judge }, STOP, 'approved');
    expect(await here.names('odd/')).toEqual([]);
    expect((await here.names()).length).toBe(20);
  });

  it.each(JUDGES)('goes by its own 404 where it held fewer: %s', async (judge) => {
    const here = await world();
    await settled(here, 20);
    renamed(here);
    if (judge === 'inventory') writeReport(here.blobs);
    expect(await here.reconcile({ judge })).toMatchObject({ outcome: 'complete' });
    expect(await here.names('odd/')).toEqual([]);
    expect((await here.names()).length).toBe(20);
  });

  function renamed({ blobs }: World): void {
    for (const [name, { bytes }] of blobs.containers.get('odd') ?? []) blobs.put('moved', name, bytes);
    blobs.containers.delete('odd');
    blobs.later(10 * MINUTE);
  }
});
