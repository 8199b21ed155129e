import { expect, it } from 'vitest';
import { ensureAccount } from '../../../schema/index/accounts.ts';
import { ensureSinks, publishRoots, readRoots } from '../../../schema/index/sinks.ts';
import { testIndex } from '../../support/postgres.ts';

it('the roots of the sinks are those that the worker was told that started last', async () => {
  await using db = await testIndex();
  const { index } = db;
  const { id } = await ensureAccount(index, 'contoso');
  const other = await ensureAccount(index, 'fabrikam');
  expect(await readRoots(index.db, id)).toEqual(new Map());
  await publishRoots(index.db, id, { gpu: { root: '/mnt/old' }, cpu: { root: '/mnt/cpu' } });
  await publishRoots(index.db, id, { gpu: { root: '/mnt/new' } });
  await publishRoots(index.db, other.id, { gpu: { root: '/mnt/other' } });
  await ensureSinks(index.db, id, ['new']);
  expect(Object.fromEntries(await readRoots(index.db, id))).toEqual({ gpu: '/mnt/new', cpu: '/mnt/cpu' });
});
