import { describe, expect, it } from 'vitest';
import type { Judging } from '../../../reconciler/judging.ts';
import { prepareRun } from '../../../reconciler/prepare.ts';
import { stageRun } from '../../../reconciler/stage.ts';
import { readFindings } from '../../../schema/index/findings.ts';
import { manyWorlds } from '../support/many-worlds.ts';
import { writeReport } from '../support/report.ts';
import { settled } from '../support/settled.ts';
import { watchedIndex } from '../support/watched-index.ts';
import { driveRun, EVERYTHING, NEVER, type World } from '../support/world.ts';

const MINUTE = 60_000;
const JUDGES = ['inventory', 'listing'] as const;
type Judge = (typeof JUDGES)[number];
const world = manyWorlds();

/** An account of which the index has missed something of every kind, and a report of it. */
async function drifted(judge: Judge, stop = { percent: 100, names: 1_000 }): Promise<World> {
  const here = await world([{ ...EVERYTHING, stop }]);
  for (const name of ['a', 'b', 'c']) here.blobs.put('gone', name);
  await settled(here, 20);
  here.blobs.containers.delete('gone');
  for (const name of ['n000', 'n002']) here.blobs.delete('even', name);
  here.blobs.put('odd', 'n001', 'another version');
  here.blobs.put('odd', 'new');
  here.blobs.retier('odd', 'n003', 'Cool');
  here.blobs.later(10 * MINUTE);
  here.blobs.pageSize = 4;
  if (judge === 'inventory') writeReport(here.blobs, { rowsPerFile: 6 });
  return here;
}

/** Everything that must be the same, however often the run died. */
async function endOf(here: World, judge: Judge, judging: Judging = here.judging, survives = (_: unknown) => false) {
  for (;;) {
    try {
      const { runId } = await prepareRun(judging, { judge }, NEVER);
      const { listed, missing, outcome } = await driveRun(judging, here.answerLooks, runId, undefined, 'approved');
      return { listed, missing, outcome, ...(await stateOf(here, runId)) };
    } catch (error) {
      if (!survives(error)) throw error;
    }
  }
}

async function stateOf(here: World, runId: number) {
  const findings = await readFindings(here.index.db, runId, { limit: 1_000 });
  return {
    // The reports are named for the time.
    live: [...(await here.live('even/')), ...(await here.live('gone/')), ...(await here.live('odd/'))].map(
      ({ container, name, attributes }) => {
        return `${container}/${name} ${attributes?.etag} ${attributes?.length} ${attributes?.tier}`;
      },
    ),
    findings: findings
      .map(({ container, name, difference, cause, state }) => `${container}/${name} ${difference} ${cause} ${state}`)
      .toSorted(),
  };
}

/** Fails each kind of request once: what was sent since is lost, as with the process that sent it. */
class Deaths {
  readonly #died = new Set<string>();
  #dead = false;
  count = 0;

  before(what: string): void {
    const kind = what.replace(/\d+/g, 'N');
    if (!this.#dead && !this.#died.has(kind)) {
      this.#died.add(kind);
      this.#dead = true;
      this.count++;
    }
    if (this.#dead) throw new Error(`killed before ${what}`);
  }

  readonly survives = (): boolean => {
    const dead = this.#dead;
    this.#dead = false;
    return dead;
  };
}

describe('7: a run that dies', () => {
  it.each(JUDGES)('before every kind of statement and request in turn ends as one that lives: %s', async (judge) => {
    const expected = await endOf(await drifted(judge), judge);
    expect(expected).toMatchObject({ outcome: 'complete' });

    const here = await drifted(judge);
    const deaths = new Deaths();
    here.blobs.onRequest = (what) => deaths.before(what.replace(/ .*/, ''));
    const judging = { ...here.judging, index: watchedIndex(here.index, (text) => deaths.before(text)) };
    expect(await endOf(here, judge, judging, deaths.survives)).toEqual(expected);
    expect(deaths.count).toBeGreaterThan(30);
  });

  it('before every kind of statement in turn is approved but once, and what it deletes is the same', async () => {
    const stop = { percent: 1, names: 1 };
    const expected = await endOf(await drifted('inventory', stop), 'inventory');
    const here = await drifted('inventory', stop);
    const deaths = new Deaths();
    const judging = { ...here.judging, index: watchedIndex(here.index, (text) => deaths.before(text)) };
    expect(await endOf(here, 'inventory', judging, deaths.survives)).toEqual(expected);
  });
});

describe('7: two at once', () => {
  it.each(JUDGES)('a second worker takes up a run that the first has not left: %s', async (judge) => {
    const { live } = await endOf(await drifted(judge), judge);
    const here = await drifted(judge);
    const { runId } = await prepareRun(here.judging, { judge }, NEVER);
    const drive = () => driveRun(here.judging, here.answerLooks, runId);
    await Promise.allSettled([drive(), drive()]);
    await drive();
    const after = await stateOf(here, runId);
    expect(after.live).toEqual(live);
    expect(new Set(after.findings).size).toBe(after.findings.length);
  });

  it.each(JUDGES)('a run of another judge begins while it is under way: %s first', async (first) => {
    const second = first === 'listing' ? 'inventory' : 'listing';
    const { live } = await endOf(await drifted('inventory'), second);
    const here = await drifted('inventory');
    const one = await prepareRun(here.judging, { judge: first }, NEVER);
    await stageRun(here.judging, one.runId, NEVER);
    const other = await prepareRun(here.judging, { judge: second }, NEVER);
    await Promise.allSettled([here.drive(one.runId), here.drive(other.runId)]);
    await here.drive(other.runId).catch(() => {});
    await here.answerLooks();
    expect((await stateOf(here, other.runId)).live).toEqual(live);
  });
});
