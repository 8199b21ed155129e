import { describe, expect, it } from 'vitest';
import type { Rule } from '../../namespace/rule.ts';
import { prepareRun } from '../../reconciler/prepare.ts';
import { publishRules } from '../../schema/index/authority-revisions.ts';
import { testIndex } from '../support/postgres.ts';
import { writeReport } from './support/report.ts';
import { settled } from './support/settled.ts';
import { makeWorld, NEVER } from './support/world.ts';

const MINUTE = 60_000;

describe('auto', () => {
  it('lists again under new rules, by which the names of a later rule come; not for a listing of a prefix', async () => {
    await using db = await testIndex();
    const ruleOf = (prefix: string): Rule => ({ prefix, authority: 'blob', sink: 'vast' });
    const world = await makeWorld(db.index, [ruleOf('even/')]);
    await settled(world, 4);
    writeReport(world.blobs);
    expect(await world.reconcile()).toMatchObject({ judge: 'inventory', outcome: 'complete' });
    await publishRules(db.index, world.judging.account.id, [ruleOf('even/'), ruleOf('odd/')], 'one more');
    await world.reconcile({ judge: 'listing', prefix: 'even/' });
    expect(await world.names('odd/')).toEqual([]);
    expect(await world.reconcile()).toMatchObject({ judge: 'listing', outcome: 'complete' });
    expect(await world.names('odd/')).toHaveLength(2);
    expect(await world.reconcile()).toMatchObject({ judge: 'none' });
  });

  it('lists once a day where there is no inventory, and never again for its age where there is one', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 4);
    const without = { ...world.judging, federation: { ...world.judging.federation, sources: {} } };
    const age = (hours: number) =>
      db.index.pool.query('update runs set started_at = started_at - $1', [hours * 60 * MINUTE]);
    await age(20);
    expect(await prepareRun(without, { judge: 'auto' }, NEVER)).toMatchObject({
      judge: 'none',
      reason: expect.stringContaining('no inventory'),
    });
    // A day, less what a schedule is early or late by.
    await age(3.9);
    expect(await prepareRun(world.judging, { judge: 'auto' }, NEVER)).toMatchObject({ judge: 'none' });
    expect(await prepareRun(without, { judge: 'auto' }, NEVER)).toMatchObject({ judge: 'listing' });
  });
});

describe('which report is judged by', () => {
  it('is the newest that is complete; what a completion event names comes first; a used one is not used again', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 4);
    const first = writeReport(world.blobs);
    world.blobs.later(MINUTE);
    const second = writeReport(world.blobs);
    world.blobs.later(MINUTE);
    writeReport(world.blobs, { status: 'Pending', checksum: false });

    const manifestOf = async (runId: number) =>
      (await db.index.db.selectFrom('runs').select('manifest').where('id', '=', runId).executeTakeFirst())?.manifest;
    const newest = await world.reconcile();
    expect(await manifestOf(newest.runId)).toBe(second);
    expect(await world.reconcile()).toMatchObject({
      judge: 'none',
      reason: expect.stringContaining('judged by already'),
    });
    const named = await world.reconcile({ manifest: first });
    expect(await manifestOf(named.runId)).toBe(first);
    expect(await manifestOf((await world.reconcile({ judge: 'inventory' })).runId)).toBe(second);
  });

  it('is none where the rule is another, or there is no inventory at all', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 4);
    writeReport(world.blobs);
    const prepare = (inventory: { container: string; rule?: string } | undefined) =>
      prepareRun(
        {
          ...world.judging,
          federation: {
            ...world.judging.federation,
            sources: { inventory: inventory && { everyHours: 1, ...inventory } },
          },
        },
        { judge: 'auto' },
        NEVER,
      );
    expect(await prepare({ container: 'inventory', rule: 'other' })).toMatchObject({ judge: 'none' });
    expect(await prepare(undefined)).toMatchObject({ judge: 'none', reason: expect.stringContaining('no inventory') });
    expect(await prepare({ container: 'inventory', rule: 'isthmus' })).toMatchObject({ judge: 'inventory' });
  });
});
