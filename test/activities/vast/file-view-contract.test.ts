import { expect, it } from 'vitest';
import { describeSink } from './sink-contract.ts';
import { testView } from './view-folder.ts';

describeSink('a file view with extended attributes', () => testView());
describeSink('a file view with sidecars', () => testView({ attributes: 'sidecar' }));

it('says which of the two it uses, so that neither suite passes for the other', async () => {
  await using attributes = await testView();
  await using sidecars = await testView({ attributes: 'sidecar' });
  expect(await attributes.sink.capabilities()).toMatchObject({ attributes: 'xattr', sparse: true });
  expect(await sidecars.sink.capabilities()).toMatchObject({ attributes: 'sidecar' });
});
