import { describe, expect, it } from 'vitest';
import { healGaps, noteGap, noteRequested, readGaps } from '../../../schema/index/feed-gaps.ts';
import { noteSkip, readSkips } from '../../../schema/index/feed-skips.ts';
import { finishRun, startRun } from '../../../schema/index/runs.ts';
import { testIndex } from '../../support/postgres.ts';
import { scopeOf } from './page.ts';

describe('what was not read of the feed', () => {
  it('a gap is open until a run that began after it has healed it', async () => {
    await using db = await testIndex();
    const { id } = (await scopeOf(db.index)).account;
    const { db: on } = db.index;
    const earlier = await startRun(on, id, { judge: 'listing', prefix: '' });
    await new Promise((done) => setTimeout(done, 5));
    await noteGap(on, id, { missing: 'log/00/1.avro', detail: { from: 'idx/1' } });
    const [gap] = await readGaps(on, id, { limit: 5, open: true });
    expect(gap).toMatchObject({ missing: 'log/00/1.avro', detail: { from: 'idx/1' }, requestedAt: undefined });
    await noteRequested(on, id, gap?.id ?? 0);
    await noteGap(on, id, { missing: 'log/00/2.avro', detail: {} });
    expect((await readGaps(on, id, { limit: 5 })).map(({ requestedAt }) => requestedAt !== undefined)).toEqual([
      false,
      true,
    ]);
    await healGaps(on, id, earlier);
    expect(await readGaps(on, id, { limit: 5, open: true })).toHaveLength(2);
    await new Promise((done) => setTimeout(done, 5));
    const later = await startRun(on, id, { judge: 'listing', prefix: '' });
    await healGaps(on, id, later);
    await finishRun(on, later, { outcome: 'complete' });
    expect(await readGaps(on, id, { limit: 5, open: true })).toEqual([]);
    expect(await readGaps(on, id, { limit: 1 })).toMatchObject([{ missing: 'log/00/2.avro', runId: later }]);
  });

  it('a skip is kept with its reason', async () => {
    await using db = await testIndex();
    const { id } = (await scopeOf(db.index)).account;
    await noteSkip(db.index.db, id, { chunk: 'log/00/1.avro', from: 10, to: 5_000_000_000, reason: 'torn \0 disk' });
    expect(await readSkips(db.index.db, id, 5)).toMatchObject([
      { chunk: 'log/00/1.avro', from: 10, to: 5_000_000_000, reason: 'torn \ufffd disk' },
    ]);
  });
});
