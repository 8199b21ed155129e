import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import getPort from 'get-port';
import { SEARCH_ATTRIBUTES } from '../../schema/inputs/names.ts';

/** The Temporal CLI that this machine has: on the PATH, or in the user's cache folder. */
function temporalCli(): string | undefined {
  const cache = process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache');
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), path.join(cache, 'isthmus', 'temporal')];
  return folders.map((folder) => path.join(folder, 'temporal')).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface TestTemporal extends AsyncDisposable {
  readonly address: string;
  readonly client: Client;
  /** For workers. */
  readonly connection: NativeConnection;
}

/**
 * A Temporal dev server in memory, with our search attributes; stopped at the end of its block.
 *
 * @param settings of the server's dynamic configuration, where a test needs other limits.
 */
export async function testTemporal(settings: Readonly<Record<string, number>> = {}): Promise<TestTemporal> {
  const cli = temporalCli();
  if (cli === undefined) {
    throw new Error('These tests need the Temporal CLI: put `temporal` on the PATH, or run `isthmus dev` once.');
  }
  const port = await getPort();
  const attributes = SEARCH_ATTRIBUTES.flatMap((name) => ['--search-attribute', `${name}=Keyword`]);
  const args = [
    'server',
    'start-dev',
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    '--headless',
    '--log-level',
    'error',
  ];
  const limits = Object.entries(settings).flatMap(([name, value]) => ['--dynamic-config-value', `${name}=${value}`]);
  const server = spawn(cli, [...args, ...attributes, ...limits], { stdio: ['ignore', 'ignore', 'inherit'] });
  await using failed = new AsyncDisposableStack();
  failed.defer(() => stop(server));
  const address = `127.0.0.1:${port}`;
  const connection = failed.adopt(await connected(address, server), (open) => open.close());
  const native = failed.adopt(await NativeConnection.connect({ address }), (open) => open.close());
  const stack = failed.move();
  return {
    address,
    client: new Client({ connection }),
    connection: native,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function connected(address: string, server: ChildProcess): Promise<Connection> {
  for (let attempt = 0; ; attempt++) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: '1s' });
      await connection.workflowService.describeNamespace({ namespace: 'default' });
      return connection;
    } catch (error) {
      if (attempt > 100 || server.exitCode !== null) throw error;
      await sleep(200);
    }
  }
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  const forced = setTimeout(() => server.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(forced);
}
