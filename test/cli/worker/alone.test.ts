import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import getPort from 'get-port';
import { describe, expect, it } from 'vitest';

const LAUNCHER = fileURLToPath(new URL('../../../cli/isthmus.mjs', import.meta.url));
const FEDERATION =
  "name: lake\naccount: { name: contoso }\nsinks: { gpu: { kind: fileView, root: . } }\nrules: [{ prefix: '', authority: blob, sink: gpu }]\n";

interface Started extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly log: string[];
  readonly url: string;
  health(): Promise<{ readonly status: number; readonly body: unknown }>;
}

/** A worker whose Postgres and Temporal are nowhere, with what else it is told. */
async function startAlone(told: { file?: string; metrics?: string } = {}): Promise<Started> {
  const folder = await mkdtemp(path.join(tmpdir(), 'isthmus-worker-'));
  const config = path.join(folder, 'federation.yaml');
  await writeFile(config, told.file ?? FEDERATION);
  const url = told.metrics ?? `http://127.0.0.1:${await getPort()}`;
  const env = {
    ...{ PATH: process.env.PATH, HOME: process.env.HOME, ISTHMUS_METRICS_URL: url },
    ...{ DATABASE_URL: 'postgres://127.0.0.1:1/none', TEMPORAL_ADDRESS: '127.0.0.1:1' },
  };
  const child = spawn(process.execPath, [LAUNCHER, 'worker', '--config', config], { env, cwd: folder });
  const log: string[] = [];
  child.stdout.on('data', (chunk) => log.push(String(chunk)));
  child.stderr.on('data', (chunk) => log.push(String(chunk)));
  return {
    child,
    log,
    url,
    async health() {
      for (let attempt = 0; ; attempt++) {
        try {
          const answer = await fetch(`${url}/healthz`);
          return { status: answer.status, body: await answer.json() };
        } catch (error) {
          if (attempt > 150) throw error;
          await sleep(200);
        }
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await rm(folder, { recursive: true });
    },
  };
}

describe('a worker', () => {
  it('9: whose Postgres is away says so, goes on trying, and is not healthy', async () => {
    await using worker = await startAlone();
    expect(await worker.health()).toEqual({
      status: 503,
      body: { postgres: 'waiting', temporal: 'waiting', worker: 'waiting' },
    });
    await expect.poll(() => worker.log.join('')).toMatch(/Connecting to the index: .*ECONNREFUSED.*trying again/);
    await sleep(1_500);
    expect(worker.child.exitCode).toBeNull();
  });

  it('stops at once when it is asked to while it waits', async () => {
    await using worker = await startAlone();
    await worker.health();
    const exited = once(worker.child, 'exit');
    worker.child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(worker.log.join('')).toContain('The worker stops.');
  });

  it('whose connection string is of another account than its name does not start', async () => {
    const connection = 'DefaultEndpointsProtocol=https;AccountName=pond;AccountKey=aGVsbG8=';
    const account = `account: { name: contoso, connectionString: '${connection}' }`;
    await using worker = await startAlone({ file: FEDERATION.replace('account: { name: contoso }', account) });
    expect(await once(worker.child, 'close')).toEqual([64, null]);
    expect(worker.log.join('')).toMatch(
      /ISTHMUS_CONFIG: .*connectionString .* pond, .* contoso\. Set account\.name to pond/,
    );
  });

  it('whose port of metrics is in use ends, and says which port it is and how it gets another', async () => {
    await using other = await startAlone();
    await other.health();
    await using worker = await startAlone({ metrics: other.url });
    expect(await once(worker.child, 'close')).toEqual([3, null]);
    const port = new URL(other.url).port;
    expect(worker.log.join('')).toMatch(
      new RegExp(`ISTHMUS_PORT_IN_USE: .*127\\.0\\.0\\.1:${port}, .* ISTHMUS_METRICS_URL=http://127\\.0\\.0\\.1:PORT`),
    );
    expect(other.child.exitCode).toBeNull();
  });

  it('whose address of metrics is none ends, and says what one is', async () => {
    await using worker = await startAlone({ metrics: '127.0.0.1:9464' });
    expect(await once(worker.child, 'close')).toEqual([64, null]);
    expect(worker.log.join('')).toMatch(/ISTHMUS_USAGE: ISTHMUS_METRICS_URL .* http:\/\/127\.0\.0\.1:9464/);
  });
});
