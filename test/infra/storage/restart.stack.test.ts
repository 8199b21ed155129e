import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BlobServiceClient } from '@azure/storage-blob';
import getPort from 'get-port';
import { describe, expect, it } from 'vitest';
import { parseSequencer } from '../../../namespace/sequencer.ts';
import { readFeed } from './read-feed.ts';
import { eventually, startTestStorage } from './test-storage.ts';

interface Folders extends AsyncDisposable {
  readonly location: string;
  readonly stateDir: string;
}

async function folders(): Promise<Folders> {
  const root = await mkdtemp(join(tmpdir(), 'isthmus-storage-test-'));
  return {
    location: join(root, 'azurite'),
    stateDir: join(root, 'state'),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

describe('the storage front after a restart', { timeout: 600_000 }, () => {
  it('3: goes on where it was: one record for each change, rising sequencers, no trigger lost', async () => {
    await using kept = await folders();
    const published = new Set<string>();
    let away = false;
    const options = {
      location: kept.location,
      stateDir: kept.stateDir,
      publish: async ({ id }: { id: string }) => {
        if (away) throw new Error('the broker is away');
        published.add(id);
      },
    };
    for (let round = 0; round < 3; round++) {
      await using storage = await startTestStorage(options);
      if (round === 0) await storage.container('kept');
      const container = storage.account.getContainerClient('kept');
      // What the last round could not deliver or write comes now.
      away = false;
      await storage.settled();
      await storage.control.setFaults({ feed: { tearTail: round === 0, hold: round === 1 } });
      away = round === 1;
      for (let at = 0; at < 10; at++) await container.getBlockBlobClient(`${round}/${at}`).upload('x', 1);
      await container.getBlockBlobClient('same').upload(`${round}`, 1);
      await storage.control.flushFeed();
      if (round < 2) continue;
      await storage.settled();
      const records = await readFeed(storage.account);
      expect(records.length).toBe(33);
      expect(new Set(records.map(({ id }) => id))).toEqual(published);
      const sequencers = records.map(({ data }) => parseSequencer(data.sequencer) ?? '');
      expect(sequencers).toEqual(sequencers.toSorted());
      expect(new Set(records.map(({ data }) => data.containerVersion)).size).toBe(1);
    }
  });

  it('4: loses no change that a client was told of when it is killed under load', async () => {
    await using kept = await folders();
    const azuritePort = await getPort();
    const folder = { location: kept.location, stateDir: kept.stateDir, azuritePort };
    const script = fileURLToPath(new URL('front-process.ts', import.meta.url));
    const child = spawn(process.execPath, [script, JSON.stringify(folder)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout });
    const [connectionString] = (await once(lines, 'line')) as [string];
    const published = new Set<string>();
    lines.on('line', (line) => published.add(line));
    const account = BlobServiceClient.fromConnectionString(connectionString, { retryOptions: { maxTries: 1 } });
    const container = account.getContainerClient('killed');
    await container.create();
    const acknowledged = new Map<string, string>();
    let killed = false;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let at = 0; !killed; at++) {
        const name = `${writer}/${at % 10}`;
        const { etag } = await container.getBlockBlobClient(name).upload('x', 1);
        acknowledged.set(`${name} ${etag?.replaceAll('"', '')}`, name);
      }
    });
    await eventually(async () => expect(acknowledged.size).toBeGreaterThan(200), 60_000);
    child.kill('SIGKILL');
    killed = true;
    await Promise.allSettled(writers);

    await using storage = await startTestStorage(folder);
    await storage.settled();
    for (const { id } of storage.events) published.add(id);
    const records = await readFeed(storage.account);
    const told = new Set(records.map(({ subject, data }) => `${subject.split('/blobs/')[1]} ${data.etag}`));
    for (const change of acknowledged.keys()) expect(told).toContain(change);
    const ids = records.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(published).toContain(id);
  });

  it('9: sees Azurite die, starts it again, answers 503 meanwhile, and the feed heals what Azurite lost', async () => {
    await using kept = await folders();
    const deaths: string[] = [];
    await using storage = await startTestStorage({
      location: kept.location,
      stateDir: kept.stateDir,
      onAzuriteDeath: (reason) => deaths.push(reason),
    });
    const container = await storage.container('survivor');
    await container.getBlockBlobClient('before').upload('x', 1);
    await storage.settled();
    // Azurite writes its index every 5 s; what came since then is gone with it.
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    await container.getBlockBlobClient('lost with Azurite').upload('x', 1);
    await storage.settled();
    const { azurite } = await storage.control.state();
    process.kill(azurite.pid ?? expect.fail('no Azurite'), 'SIGKILL');
    await eventually(async () => expect((await storage.control.state()).azurite.restarts).toBe(1));
    expect(deaths.join()).toContain('SIGKILL');
    await eventually(() => container.getBlockBlobClient('after').upload('x', 1), 60_000);
    await storage.settled();
    const subjects = (await readFeed(storage.account)).map(({ subject }) => subject.split('/blobs/')[1]);
    expect(subjects).toEqual(['before', 'lost with Azurite', 'after']);
  });

  it('says which port is taken before it starts anything', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    for (const [option, user] of [
      ['port', 'Blob Storage'],
      ['azuritePort', 'Azurite'],
      ['controlPort', 'the control API'],
    ] as const) {
      await expect(startTestStorage({ [option]: port })).rejects.toMatchObject({
        code: 'ISTHMUS_PORT_IN_USE',
        message: expect.stringContaining(`port ${port} of ${user} is taken`),
      });
    }
    taken.close();
  });
});
