import { once } from 'node:events';
import { createServer } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { keepLoops } from '../../../cli/worker/keep-loops.ts';
import { IsthmusError } from '../../../schema/errors.ts';
import { federationSchema } from '../../../schema/federation/federation.ts';

const federation = federationSchema.parse({
  ...{ name: 'test', account: { name: 'lake' } },
  sinks: { vast: { kind: 'fileView', root: '/nowhere' } },
  rules: [{ prefix: '', authority: 'blob', sink: 'vast' }],
});

describe('a worker that keeps the loops of its file', () => {
  it('ends as it is told to, while it waits for a Temporal that does not answer', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('It has no port.');
    const connection = Connection.lazy({ address: `127.0.0.1:${address.port}` });
    const stop = new AbortController();
    const kept = keepLoops(new Client({ connection }), federation, pino({ enabled: false }), stop.signal);
    const [socket] = await once(server, 'connection');
    stop.abort();
    await kept;
    socket.destroy();
    server.close();
    await connection.close();
  });

  it('tells of what trying again cannot mend, and goes on', async () => {
    const lines: string[] = [];
    const stop = new AbortController();
    const write = (line: string) => {
      lines.push(line);
      stop.abort();
    };
    const log = pino({}, { write });
    const refuse = () => Promise.reject(new IsthmusError('ISTHMUS_USAGE', 'no such loop'));
    const client = {
      withAbortSignal: (_signal: AbortSignal, work: () => Promise<void>) => work(),
      workflow: { getHandle: () => ({ describe: refuse }) },
    };
    await keepLoops(client as unknown as Client, federation, log, stop.signal);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { msg: 'The loops are not all started: no such loop', err: { code: 'ISTHMUS_USAGE' } },
    ]);
  });
});
