import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { ServiceBusClient } from '@azure/service-bus';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { readEnvFile } from '../../../infra/local/env-file.ts';
import { findStack } from '../../../infra/local/find-stack.ts';
import { choosePorts } from '../../../infra/local/ports.ts';
import type { Stack } from '../../../infra/local/stack.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { testStack } from '../../support/stack.ts';
import { isAlive, until } from './alive.ts';
import { temporaryFolder } from './temporary-folder.ts';

const SLOW = { timeout: 600_000 };
const CHILDREN = ['postgres', 'temporal', 'services'] as const;

async function query(stack: Stack, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: stack.env.DATABASE_URL });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function container(stack: Stack, name: string): ContainerClient {
  const connection = stack.env.AZURE_STORAGE_CONNECTION_STRING ?? '';
  return BlobServiceClient.fromConnectionString(connection).getContainerClient(name);
}

async function namespaceState(stack: Stack): Promise<string> {
  const answer = await fetch(`${stack.env.TEMPORAL_UI_URL}/api/v1/namespaces/default`);
  return JSON.stringify(await answer.json());
}

async function nextEvent(stack: Stack): Promise<unknown> {
  const client = new ServiceBusClient(stack.env.AZURE_SERVICEBUS_CONNECTION_STRING ?? '');
  try {
    const receiver = client.createReceiver('isthmus-events', { receiveMode: 'receiveAndDelete' });
    const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: PATIENCE_MS });
    return message?.body;
  } finally {
    await client.close();
  }
}

describe('the stack', () => {
  // Each step that can hang has its own deadline and says its name; the whole takes 18 s, twice that on busy cores.
  it('starts every killed child again, with what it held, and leaves no process when it stops', SLOW, async () => {
    await using stack = await testStack();
    const lake = container(stack, 'lake');
    await lake.create();
    await lake.getBlockBlobClient('a').upload('hello', 5);
    expect(await nextEvent(stack)).toMatchObject({
      eventType: 'Microsoft.Storage.BlobCreated',
      subject: '/blobServices/default/containers/lake/blobs/a',
    });
    await query(stack, 'create table kept as select 1 as one');
    const pids = new Set(stack.pids());

    for (const child of CHILDREN) stack.kill(child, 'SIGKILL');
    await until(
      'all run again',
      () => CHILDREN.every((child) => stack.restarts(child) > 0 && stack.isUp(child)),
      120_000,
    );

    expect(await query(stack, 'select one from kept')).toEqual([{ one: 1 }]);
    expect(await namespaceState(stack)).toContain('NAMESPACE_STATE_REGISTERED');
    expect((await lake.getBlockBlobClient('a').downloadToBuffer()).toString()).toBe('hello');
    await lake.getBlockBlobClient('b').upload('hello', 5);
    expect(await nextEvent(stack)).toMatchObject({ eventType: 'Microsoft.Storage.BlobCreated' });

    for (const pid of stack.pids()) pids.add(pid);
    expect(pids.size).toBe(7);
    await stack.stop();
    await until('none is left', () => [...pids].every((pid) => !isAlive(pid)));
  });

  it('keeps its state between runs, and starts empty when asked to', SLOW, async () => {
    await using temporary = await temporaryFolder();
    const state = path.join(temporary.folder, '.isthmus');
    {
      await using stack = await testStack({ state });
      await container(stack, 'lake').create();
      await container(stack, 'lake').getBlockBlobClient('a').upload('hello', 5);
      await query(stack, 'create table kept as select 1 as one');
      const below = path.join(temporary.folder, 'deep/er');
      await mkdir(below, { recursive: true });
      expect(await findStack(below)).toEqual(stack.env);
      await expect(testStack({ state })).rejects.toThrow(/A stack runs here already, as process \d+/);
    }
    expect(await findStack(temporary.folder)).toBeUndefined();
    {
      await using stack = await testStack({ state });
      expect(await query(stack, 'select one from kept')).toEqual([{ one: 1 }]);
      expect((await container(stack, 'lake').getBlockBlobClient('a').downloadToBuffer()).toString()).toBe('hello');
    }
    await using stack = await testStack({ state, fresh: true });
    expect(await query(stack, "select to_regclass('kept') as kept")).toEqual([{ kept: null }]);
    expect(await container(stack, 'lake').exists()).toBe(false);
    expect(await readdir(path.join(state, 'vast'))).toEqual([]);
    expect((await stat(path.join(state, 'federation.yaml'))).size).toBeGreaterThan(0);
  });

  it('takes its children along when it is killed with SIGKILL, and starts again on what they left', SLOW, async () => {
    await using temporary = await temporaryFolder();
    const state = path.join(temporary.folder, '.isthmus');
    const script = `
      const { startStack } = await import(${JSON.stringify(import.meta.resolve('../../../infra/local/stack.ts'))});
      const stack = await startStack({ state: ${JSON.stringify(state)}, ports: 'free' });
      process.stdout.write(JSON.stringify(stack.pids()));`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = await once(parent.stdout, 'data');
    const pids = JSON.parse(String(printed)) as number[];
    expect(pids.filter(isAlive)).toHaveLength(4);
    expect(await findStack(temporary.folder)).toBeDefined();
    parent.kill('SIGKILL');
    await until('they are gone', () => !pids.some(isAlive));
    expect(await readEnvFile(path.join(state, 'stack.env'))).toBeDefined();
    expect(await findStack(temporary.folder)).toBeUndefined();
    await using stack = await testStack({ state });
    expect(await query(stack, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('refuses a port that is taken before it starts anything', async () => {
    await using temporary = await temporaryFolder();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const free = await choosePorts('free');
      const { port } = server.address() as { port: number };
      const failed = testStack({ state: temporary.folder, ports: { ...free, serviceBus: port } });
      await expect(failed).rejects.toMatchObject({ code: 'ISTHMUS_PORT_IN_USE' });
      await expect(failed).rejects.toThrow(`Port ${port} is in use; Service Bus asked for it.`);
      expect(await readdir(temporary.folder)).toEqual([]);
    } finally {
      server.close();
    }
  });

  it('leaves nothing running when its start is given up', async () => {
    await using temporary = await temporaryFolder();
    const giveUp = new AbortController();
    const failed = testStack({
      state: temporary.folder,
      signal: giveUp.signal,
      onEvent: ({ child, kind }) => {
        if (child === 'temporal' && kind === 'ready') giveUp.abort(new Error('enough'));
      },
    });
    await expect(failed).rejects.toThrow('enough');
    expect(await readdir(temporary.folder)).not.toContain('stack.lock');
  });
});
