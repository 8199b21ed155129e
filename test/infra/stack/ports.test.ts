import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { choosePorts, PORTS } from '../../../infra/local/ports.ts';

describe('choosing ports', () => {
  it('names every port that is taken, who asked for it and the option that moves it', async () => {
    await using cleanup = new AsyncDisposableStack();
    const free = await choosePorts('free');
    const taken = await Promise.all(
      [0, 0].map(async (port) => {
        const server = createServer().listen(port, '127.0.0.1');
        await once(server, 'listening');
        cleanup.defer(() => new Promise<void>((resolve) => server.close(() => resolve())));
        return (server.address() as AddressInfo).port;
      }),
    );
    const failed = choosePorts({ ...free, blob: taken[0] ?? 0, postgres: taken[1] ?? 0 });
    await expect(failed).rejects.toMatchObject({ code: 'ISTHMUS_PORT_IN_USE' });
    await expect(failed).rejects.toThrow(
      new RegExp(
        `Port ${taken[0]} is in use; Blob Storage asked.*--blob-port PORT.*\n.*Port ${taken[1]}.*Postgres.*--postgres-port`,
      ),
    );
  });

  it('notices one port that is asked for twice', async () => {
    const free = await choosePorts('free');
    await expect(choosePorts({ ...free, temporalUi: free.temporal })).rejects.toThrow(
      `Port ${free.temporal} is asked for twice, by Temporal and Temporal's UI: move one with --temporal-ui-port.`,
    );
  });

  it('finds free ports that differ, below those of outgoing connections', async () => {
    const ports = Object.values(await choosePorts('free'));
    expect(new Set(ports).size).toBe(Object.keys(PORTS).length);
    for (const port of ports) expect(port).toBeLessThan(32_000);
  });
});
