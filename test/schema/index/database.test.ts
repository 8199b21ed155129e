import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { openIndex } from '../../../schema/index/database.ts';

it('9: a server that takes a connection and never answers is not waited for without end', async () => {
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const index = openIndex(`postgres://isthmus:isthmus@127.0.0.1:${port}/isthmus`, { connectMs: 100 });
  await expect(index.pool.query('select 1')).rejects.toThrow('timeout');
  await index.close();
  server.close();
});
