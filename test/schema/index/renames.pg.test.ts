import { describe, expect, it } from 'vitest';
import { formatKey, parseKey } from '../../../namespace/key.ts';
import { ensureAccount } from '../../../schema/index/accounts.ts';
import { recentRenames } from '../../../schema/index/renames.ts';
import { noteSubtrees } from '../../../schema/index/subtrees.ts';
import { transact } from '../../../schema/index/transact.ts';
import { testIndex } from '../../support/postgres.ts';

const HOUR = 3_600_000;

describe('directories that were renamed lately', () => {
  it('are the newest first, until the stubs that their listing asked for have had their time', async () => {
    await using db = await testIndex();
    const { id } = await ensureAccount(db.index, 'lake');
    const now = Date.now();
    const gone = (name: string, hoursAgo: number, made: string | undefined) => ({
      gone: parseKey(`c/${name}`),
      made: made === undefined ? undefined : parseKey(made),
      recursive: true,
      time: now - hoursAgo * HOUR,
      eventId: name,
      api: 'RenameDirectory',
    });
    const long = `${'x'.repeat(600)}/y`;
    const told = [
      gone('deleted', 0, undefined),
      gone('yesterday', 25, 'c/z'),
      gone('listed', 3, 'c/z'),
      gone('just-listed', 2, 'c/z'),
      gone(long, 1, `d/${long}`),
    ];
    await transact(db.index, (tx) => noteSubtrees(tx, id, told));
    for (const [name, hoursAgo] of [
      ['listed', 2],
      ['just-listed', 0],
    ] as const) {
      await db.index.db
        .updateTable('subtrees')
        .set({ listed_at: now - hoursAgo * HOUR })
        .where('event_id', '=', name)
        .execute();
    }
    const renames = await recentRenames(db.index.db, id);
    expect(renames.map(({ from, to }) => [formatKey(from), formatKey(to)])).toEqual([
      [`c/${long}`, `d/${long}`],
      ['c/just-listed', 'c/z'],
    ]);
    const { id: other } = await ensureAccount(db.index, 'another');
    expect(await recentRenames(db.index.db, other)).toEqual([]);
  });

  it('are found among any number of directories that were deleted since, as jobs delete their own by the thousand', async () => {
    await using db = await testIndex();
    const { id } = await ensureAccount(db.index, 'lake');
    const now = Date.now();
    const gone = (name: string, at: number, made?: string) => ({
      gone: parseKey(`c/${name}`),
      made: made === undefined ? undefined : parseKey(made),
      recursive: true,
      time: now - 60_000 + at,
      eventId: name,
      api: 'DeleteDirectory',
    });
    const told = Array.from({ length: 2_000 }, (_, at) => gone(`_temporary/${at}`, at + 1));
    await transact(db.index, (tx) => noteSubtrees(tx, id, [gone('staging', 0, 'c/live'), ...told]));
    const renames = await recentRenames(db.index.db, id);
    expect(renames.map(({ from, to }) => [formatKey(from), formatKey(to)])).toEqual([['c/staging', 'c/live']]);
  });
});
