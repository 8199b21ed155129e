import { expect, it } from 'vitest';
import { ContainerIds } from '../../../reconciler/run/containers.ts';
import { ensureAccount } from '../../../schema/index/accounts.ts';
import { testIndex } from '../../support/postgres.ts';

it('numbers containers that were known and new ones together, also where there are more than are remembered', async () => {
  await using db = await testIndex();
  const account = await ensureAccount(db.index, 'account');
  const ids = new ContainerIds(db.index, account.id);
  const names = Array.from({ length: 20_000 }, (_, at) => `c${at}`);
  const known = (await ids.of(names))('c7');
  const idOf = await ids.of(['c7', 'new']);
  expect(idOf('c7')).toBe(known);
  expect(idOf('new')).toBeGreaterThan(known);
  expect(() => idOf('c8')).toThrow(RangeError);
});
