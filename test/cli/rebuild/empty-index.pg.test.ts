import { describe, expect, it } from 'vitest';
import { emptyIndex } from '../../../cli/rebuild/empty-index.ts';
import { federationSchema } from '../../../schema/federation/federation.ts';
import { readAccount } from '../../../schema/index/accounts.ts';
import { keepDeadLetters } from '../../../schema/index/dead-letters.ts';
import { readCursor, setCursor } from '../../../schema/index/feed-cursors.ts';
import { recentJournal } from '../../../schema/index/journal.ts';
import { recentRuns } from '../../../schema/index/runs.ts';
import { transact } from '../../../schema/index/transact.ts';
import { makeWorld } from '../../reconciler/support/world.ts';
import { testIndex } from '../../support/postgres.ts';

const federation = (name: string) =>
  federationSchema.parse({
    ...{ name: 'one', account: { name } },
    sources: { changeFeed: {} },
    sinks: { vast: { kind: 'fileView', root: '/nowhere' } },
    rules: [{ prefix: '', authority: 'blob', sink: 'vast' }],
  });

const SEGMENT = 'idx/segments/2026/11/21/1400/meta.json';
const start = { now: 1_000_000, segment: SEGMENT };

describe('an index that is to be rebuilt', () => {
  it('has its feed read from the start on, and believes no older create without a look, where it is new', async () => {
    await using db = await testIndex();
    const made = await emptyIndex(db.index, federation('account'), { discard: false, start });
    expect(made).toMatchObject({ discarded: 0 });
    const account = await readAccount(db.index.db, 'account');
    expect(account?.horizon).toBe(start.now);
    expect(await readCursor(db.index.db, account?.id ?? 0)).toMatchObject({ segment: SEGMENT, shards: {} });
    expect(await recentJournal(db.index.db, account?.id ?? 0, { limit: 1 })).toMatchObject([{ kind: 'index-rebuilt' }]);
  });

  it('is left alone where it has entries and nobody says that they may go', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    for (const name of ['a', 'b']) world.blobs.put('lake', name);
    await world.reconcile();
    const { id } = world.judging.account;
    const cursor = { segment: 'idx/segments/2026/11/20/0000/meta.json', shards: {} };
    await transact(db.index, (tx) => setCursor(tx, id, cursor));
    const refused = await emptyIndex(db.index, federation('account'), { discard: false, start });
    expect(refused).toMatchObject({
      says: 'The index has 2 names of account',
      mend: expect.stringContaining('--discard'),
    });
    expect(await world.names()).toEqual(['lake/a', 'lake/b']);
    expect(await readCursor(db.index.db, id)).toMatchObject({ segment: cursor.segment });
  });

  it.each([1, 2])('forgets what is listed again and nothing else, with %i accounts in the index', async (accounts) => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    for (const name of ['a', 'b']) world.blobs.put('lake', name);
    await world.reconcile();
    const { id } = world.judging.account;
    if (accounts === 2) await emptyIndex(db.index, federation('another'), { discard: false, start });
    const letter = { messageId: 'm', body: {}, reason: 'bad-event', description: 'a test', enqueuedAt: 1 };
    await transact(db.index, (tx) => keepDeadLetters(tx, id, [{ origin: 'event-hubs', ...letter }]));

    const emptied = await emptyIndex(db.index, federation('account'), { discard: true, start });
    expect(emptied).toEqual({ accountId: id, discarded: 2 });
    expect(await world.names()).toEqual([]);
    expect(await recentRuns(db.index.db, id, { limit: 5 })).toEqual([]);
    const left = await db.index.pool.query('select from dead_letters where account_id = $1', [id]);
    expect(left.rowCount).toBe(1);
    const rebuilt = await world.reconcile({ judge: 'listing' });
    expect(rebuilt).toMatchObject({ outcome: 'complete', listed: 2, applied: 2 });
  });
});
