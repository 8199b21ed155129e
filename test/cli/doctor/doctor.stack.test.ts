import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BlobServiceClient } from '@azure/storage-blob';
import getPort from 'get-port';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doctor } from '../../../cli/commands/doctor.ts';
import type { Stack } from '../../../infra/local/stack.ts';
import { StorageControl } from '../../../infra/local/storage/control-client.ts';
import { type DoctorCheck, doctorCheck, doctorOutput } from '../../../schema/outputs/doctor.ts';
import { testStack } from '../../support/stack.ts';
import { recordingTerminal } from '../recording-terminal.ts';
import { lateStorage, silentServer } from './odd-servers.ts';

const LAUNCHER = fileURLToPath(new URL('../../../cli/isthmus.mjs', import.meta.url));
const run = promisify(execFile);

let stack: Stack;
let sound: string;
beforeAll(async () => {
  // As `isthmus dev` has it: what a test's Postgres leaves out is a finding.
  stack = await testStack({ worker: true, fsync: true });
  sound = await readFile(stack.env.ISTHMUS_CONFIG ?? '', 'utf8');
}, 600_000);
afterAll(() => stack.stop());

interface Broken {
  /** What the federation file says instead. */
  readonly file?: readonly [string | RegExp, string];
  readonly env?: Readonly<Record<string, string>>;
  readonly strict?: boolean;
}

let copies = 0;

async function diagnose({ file, env = {}, strict = false }: Broken = {}): Promise<{
  readonly code: number;
  /** What is neither good nor unknown. */
  readonly found: readonly DoctorCheck[];
}> {
  const config = path.join(stack.state, `federation-${copies++}.yaml`);
  const text = file === undefined ? sound : sound.replace(...file);
  if (file !== undefined) expect(text).not.toBe(sound);
  await writeFile(config, text);
  const terminal = recordingTerminal();
  const { signal } = new AbortController();
  const code = await doctor({ strict }, { terminal, signal, json: true, config, env: { ...stack.env, ...env } });
  const lines = terminal.printed.map((line) => JSON.parse(line) as unknown);
  const checks = lines.slice(0, -1).map((line) => doctorCheck.parse(line));
  const found = checks.filter(({ outcome }) => outcome === 'wrong' || outcome === 'warning');
  const { sound: isSound, wrong, warnings } = doctorOutput.parse(lines.at(-1));
  expect(wrong + warnings).toBe(found.length);
  expect(isSound).toBe(code === 0);
  return { code, found };
}

/** Exactly this is found, its text is as expected, and it says what mends it. */
async function names(broken: Broken, check: string, says: RegExp, mend: RegExp, outcome = 'wrong'): Promise<void> {
  const { code, found } = await diagnose({ strict: outcome === 'warning', ...broken });
  expect(found.map((each) => [each.outcome, each.check])).toEqual([[outcome, check]]);
  expect(found[0]?.says).toMatch(says);
  expect(found[0]?.mend).toMatch(mend);
  expect(code).toBe(1);
}

const withPort = (text: string | undefined, port: number) =>
  (text ?? '').replace(/127\.0\.0\.1:\d+/g, `127.0.0.1:${port}`);
/** Nothing listens there, and no test may. */
const CLOSED = 1;
const storage = (change: (connection: string) => string) => ({
  AZURE_STORAGE_CONNECTION_STRING: change(stack.env.AZURE_STORAGE_CONNECTION_STRING ?? ''),
});
const postgres = (change: (url: URL) => void) => {
  const url = new URL(stack.env.DATABASE_URL ?? '');
  change(url);
  return { DATABASE_URL: url.href };
};

describe('isthmus doctor on isthmus dev', () => {
  it('finds nothing wrong and nothing to warn of', async () => {
    const env = { ...process.env, ...stack.env };
    const { stdout } = await run(process.execPath, [LAUNCHER, 'doctor', '--strict'], { env, cwd: '/' });
    expect(stdout).toMatch(/ 0 wrong, 0 warnings, \d not known\. Sound\.\n$/);
    expect(stdout).not.toMatch(/^(WRONG|warning)/m);
  });

  it('finds a sink whose root is another than that of the workers and not its view, and leaves nothing behind in it', async () => {
    const root = path.join(stack.state, 'another-view');
    await mkdir(root);
    const { code, found } = await diagnose({ env: { ISTHMUS_VAST_ROOT: root } });
    expect(found).toEqual([
      {
        ...{ check: 'federation.published', outcome: 'warning', mend: expect.stringContaining('Restart') },
        says: expect.stringMatching(/sinks\.vast\.root of the file is \S+another-view, of the workers \S+vast$/),
      },
      {
        ...{ check: 'sink.vast.view', outcome: 'wrong', mend: expect.stringContaining('--new-view') },
        says: expect.stringMatching(/another-view is not the view of sink vast: it bears no identity/),
      },
    ]);
    expect(code).toBe(1);
    expect(await readdir(root)).toEqual([]);
  });

  it('finds a queue that is not there', async () => {
    await names(
      { file: ['queue: isthmus-events', 'queue: nowhere'] },
      'queue.receive',
      /nowhere/,
      /servicebus queue create .* -n nowhere/,
    );
  });

  it('finds a Service Bus that does not answer', async () => {
    const env = { AZURE_SERVICEBUS_CONNECTION_STRING: withPort(stack.env.AZURE_SERVICEBUS_CONNECTION_STRING, CLOSED) };
    await names({ env }, 'queue.receive', /ECONNREFUSED/, /sources\.serviceBus/);
  });

  it('finds a Service Bus that is silent, and ends though its client never does', async () => {
    await using silent = await silentServer();
    const connection = withPort(stack.env.AZURE_SERVICEBUS_CONNECTION_STRING, silent.port);
    const env = { ...process.env, ...stack.env, AZURE_SERVICEBUS_CONNECTION_STRING: connection };
    const ended = run(process.execPath, [LAUNCHER, 'doctor'], { env, cwd: '/' });
    await expect(ended).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^WRONG {4}queue\.receive: /m),
    });
  });

  it("finds a Service Bus key that is not the namespace's", async () => {
    const connection = stack.env.AZURE_SERVICEBUS_CONNECTION_STRING ?? '';
    const env = { AZURE_SERVICEBUS_CONNECTION_STRING: connection.replace(/AccessKey=[^;]+/, 'AccessKey=wrong') };
    await names({ env }, 'queue.receive', /InvalidSignature/, /^The key /);
  });

  it("finds a storage key that is not the account's", async () => {
    const env = storage((text) =>
      text.replace(/AccountKey=[^;]+/, `AccountKey=${Buffer.alloc(64).toString('base64')}`),
    );
    await names({ env }, 'storage.containers', /cannot be listed/, /^The key or token .*connection-string/);
  });

  it('finds a connection string that is of another account than its name', async () => {
    await names(
      { env: { AZURE_STORAGE_ACCOUNT: 'elsewhere' } },
      'storage.account',
      /^account\.connectionString reaches the account devstoreaccount1, and account\.name is elsewhere$/,
      /^Set account\.name to devstoreaccount1, or /,
    );
  });

  it('finds storage that does not answer', async () => {
    await names(
      { env: storage((text) => withPort(text, CLOSED)) },
      'storage.containers',
      /ECONNREFUSED/,
      /blobEndpoint/,
    );
  });

  it('finds a feed that may not be read', async () => {
    const control = new StorageControl(stack.env.ISTHMUS_CONTROL_URL ?? '');
    await control.setFaults({ feed: { refuse: true } });
    try {
      await names({}, 'feed.readable', /may not be read/, /role assignment create/);
    } finally {
      await control.clearFaults();
    }
  });

  it('finds an inventory container that is not there', async () => {
    await names(
      { file: ['container: inventory', 'container: nowhere'] },
      'inventory.container',
      /nowhere/,
      /storage container create .* -n nowhere/,
    );
  });

  it('finds an inventory rule without the field ETag', async () => {
    const reports = BlobServiceClient.fromConnectionString(
      stack.env.AZURE_STORAGE_CONNECTION_STRING ?? '',
    ).getContainerClient('reports');
    await reports.create();
    const control = new StorageControl(stack.env.ISTHMUS_CONTROL_URL ?? '');
    const { manifest } = await control.runInventory({ container: 'reports' });
    expect((await diagnose({ file: ['container: inventory', 'container: reports'] })).found).toEqual([]);
    const blob = reports.getBlockBlobClient(manifest.replace('reports/', ''));
    const text = (await blob.downloadToBuffer()).toString().replace('"ETag",', '');
    await blob.upload(text, Buffer.byteLength(text));
    await names(
      { file: ['container: inventory', 'container: reports'] },
      'inventory.fields',
      /does not report ETag,/,
      /schemaFields/,
    );
  });

  it('finds a Postgres password that is wrong', async () => {
    const env = postgres((url) => {
      url.password = 'wrong';
    });
    await names({ env }, 'postgres.answers', /28P01/, /DATABASE_URL/);
  });

  it('finds a Postgres that does not wait for its disk', async () => {
    const env = postgres((url) => url.searchParams.set('options', '-c synchronous_commit=off'));
    await names({ env }, 'postgres.durability', /synchronous_commit is off/, /synchronous_commit = on/, 'warning');
  });

  it('finds a time limit that breaks off pages', async () => {
    const env = postgres((url) => url.searchParams.set('options', '-c statement_timeout=2s'));
    await names({ env }, 'postgres.timeouts', /statement_timeout is 2 s/, /statement_timeout = 0/);
  });

  it('finds clocks that are further apart than the margin', async () => {
    await using late = await lateStorage(stack.ports.blob, 60_000);
    await names(
      { env: storage((text) => withPort(text, late.port)) },
      'clocks.margin',
      /at least 5\d\.\d s ahead of that of storage/,
      /marginSeconds/,
    );
  });

  it('finds a Temporal that does not answer', async () => {
    await names(
      { env: { TEMPORAL_ADDRESS: `127.0.0.1:${CLOSED}` } },
      'temporal.answers',
      /127\.0\.0\.1:1/,
      /TEMPORAL_ADDRESS/,
    );
  });

  it('finds settings that are no address, and says which', async () => {
    await names({ env: { DATABASE_URL: 'foo' } }, 'postgres.answers', /DATABASE_URL is no URL/, /postgres:\/\/USER/);
    await names(
      { env: { TEMPORAL_ADDRESS: 'http://127.0.0.1:7233' } },
      'temporal.answers',
      /http:\/\/127\.0\.0\.1:7233.* HOST:PORT/,
      /TEMPORAL_ADDRESS=HOST/,
    );
  });

  it('finds a namespace that is not there', async () => {
    await names(
      { env: { TEMPORAL_NAMESPACE: 'nowhere' } },
      'temporal.namespace',
      /nowhere/,
      /namespace create -n nowhere/,
    );
  });

  it('finds that no worker polls, and that the workflows of the account are those of another federation', async () => {
    const { code, found } = await diagnose({ file: ['name: local', 'name: elsewhere'] });
    expect(found).toMatchObject([
      {
        outcome: 'wrong',
        check: 'temporal.federation',
        says: expect.stringMatching(/devstoreaccount1 .* federation local, and this is elsewhere$/),
        mend: expect.stringMatching(/TEMPORAL_NAMESPACE.* temporal schedule delete/),
      },
      { outcome: 'wrong', check: 'temporal.worker', says: expect.stringContaining('isthmus-elsewhere') },
    ]);
    expect(found[1]?.mend).toMatch(/isthmus worker/);
    expect(code).toBe(1);
  });

  it('finds that the workflows of the account work with another index', async () => {
    const admin = new pg.Client({ connectionString: stack.env.DATABASE_URL });
    await admin.connect();
    await admin.query("create database another encoding 'UTF8' template template0");
    await admin.end();
    const env = postgres((url) => {
      url.pathname = '/another';
    });
    await names({ env }, 'temporal.federation', /rules since 20\S+Z, and this index has none yet$/, /DATABASE_URL/);
    const worker = run(process.execPath, [LAUNCHER, 'worker'], {
      env: { ...process.env, ...stack.env, ...env, ISTHMUS_METRICS_URL: `http://127.0.0.1:${await getPort()}` },
      cwd: '/',
    });
    await expect(worker).rejects.toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/ISTHMUS_CONFIG: the workflows of devstoreaccount1 .* this index has none yet/),
    });
    const another = new pg.Client({ connectionString: env.DATABASE_URL });
    await another.connect();
    const { rows } = await another.query("select tablename from pg_tables where schemaname = 'public'");
    await another.end();
    expect(rows).toEqual([]);
  });

  it('9: finds a source that somebody has paused, since when and why', async () => {
    const env = { ...process.env, ...stack.env };
    const isthmus = (...args: readonly string[]) => run(process.execPath, [LAUNCHER, ...args], { env, cwd: '/' });
    await isthmus('pause', 'feed', '--reason', 'to see');
    try {
      const says = /^feed is paused by an operator since 2\S+Z: to see$/;
      await names({}, 'temporal.loops', says, /^isthmus resume feed$/, 'warning');
      expect((await diagnose()).code).toBe(0);
    } finally {
      await isthmus('resume', 'feed');
    }
  });

  it('finds sources that are others than those that the worker was started with', async () => {
    await names(
      { file: [/ {2}deadLetters:\n.*\n.*\n/, ''] },
      'temporal.sources',
      /^dead-letter-intake\/devstoreaccount1 runs and is for nothing in the file$/,
      /restart/,
      'warning',
    );
    const { found } = await diagnose({ file: ['sinks:\n', 'sinks:\n  more: { kind: fileView, root: "." }\n'] });
    expect(found).toMatchObject([
      { check: 'temporal.sources', says: 'stub-dispatch/devstoreaccount1/more of the file does not run' },
    ]);
  });

  it('finds a sink whose root is not there, and does not make it', async () => {
    const root = path.join(stack.state, 'nowhere');
    const { found } = await diagnose({ env: { ISTHMUS_VAST_ROOT: root } });
    expect(found).toMatchObject([
      { check: 'federation.published', outcome: 'warning' },
      { check: 'sink.vast.root', outcome: 'wrong', says: expect.stringContaining('nowhere is not there') },
    ]);
    expect(found[1]?.mend).toContain('mount');
    expect(await readdir(stack.state)).not.toContain('nowhere');
  });

  it('finds rules that the worker has not taken', async () => {
    await names(
      { file: ["prefix: ''", 'prefix: inventory/'] },
      'federation.published',
      /inventory\//,
      /Restart/,
      'warning',
    );
  });
});
