import { describe, expect, it } from 'vitest';
import { readFindings } from '../../schema/index/findings.ts';
import { testIndex } from '../support/postgres.ts';
import { type ReportOptions, type ReportRow, writeReport } from './support/report.ts';
import { makeWorld } from './support/world.ts';

const MINUTE = 60_000;
const attributes = { etag: '0x1', length: 0, lastModified: 0 };
const row = (container: string, deleted = false): ReportRow => ({
  container,
  name: '',
  attributes,
  Deleted: deleted ? 'true' : '',
});
const FIELDS = ['Name', 'Last-Modified', 'ETag', 'LeaseStatus', 'Deleted', 'Version', 'DeletedTime'];

/** Three containers that the index knows, of which `gone` is no more. */
async function lost(db: Awaited<ReturnType<typeof testIndex>>) {
  const world = await makeWorld(db.index);
  for (const container of ['gone', 'stays', 'third']) {
    for (const name of ['a', 'b/c']) world.blobs.put(container, name);
  }
  await world.reconcile();
  world.blobs.later(10 * MINUTE);
  world.blobs.containers.delete('gone');
  const judge = async (rows: readonly ReportRow[], options: ReportOptions = {}) => {
    world.blobs.looks.length = 0;
    writeReport(world.blobs, { objectType: 'container', fields: FIELDS, filters: {}, rows, ...options });
    const summary = await world.reconcile({ judge: 'auto' });
    world.blobs.later(MINUTE);
    return summary;
  };
  return { world, judge };
}

describe('a report of containers', () => {
  it.each([
    ['csv', 'lists as deleted', [row('gone', true), row('stays'), row('third')]],
    ['parquet', 'does not list', [row('stays'), row('third')]],
  ] as const)('7: in %s has one that it %s judged, whose own 404 alone ends its names', async (format, _what, rows) => {
    await using db = await testIndex();
    const { world, judge } = await lost(db);
    const { runId, ...summary } = await judge(rows, { format });
    expect(summary).toMatchObject({ judge: 'listing', outcome: 'complete', missing: 2 });
    expect(await world.names()).toEqual(['stays/a', 'stays/b/c', 'third/a', 'third/b/c']);
    const found = await readFindings(db.index.db, runId, { limit: 10 });
    expect(found.map(({ cause, state }) => [cause, state])).toEqual([
      ['container-deleted', 'repaired'],
      ['container-deleted', 'repaired'],
    ]);
    expect((await judge(rows, { format })).judge).toBe('none');
  });

  it.each<[string, readonly ReportRow[], ReportOptions]>([
    ['lists one as deleted that is there', [row('gone'), row('stays', true), row('third')], {}],
    ['is without one that is there', [row('gone'), row('stays')], {}],
    ['is empty, and says so of containers that are there', [row('gone')], { objectCount: 1 }],
    ['is shorter than its count', [row('stays')], { objectCount: 3 }],
    ['leaves out what its filters leave out', [], { filters: { prefixMatch: ['sta'] } }],
    ['names no containers', [{ container: 'gone', name: 'a', attributes }], {}],
  ])('7: that %s deletes nothing', async (_what, rows, options) => {
    await using db = await testIndex();
    const { world, judge } = await lost(db);
    const { judge: by, outcome, reason } = await judge(rows, options);
    expect([by, outcome]).toEqual(['none', 'nothing-to-do']);
    expect(reason).toMatch(/lists containers/);
    expect((await world.names()).length).toBe(6);
  });
});
