import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { type Index, openIndex } from '../../schema/index/database.ts';
import { databaseUrl, TEMPLATE } from './postgres-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string;
  }
}

/** A fresh, migrated database of its own. */
export interface TestIndex extends AsyncDisposable {
  readonly index: Index;
  readonly url: string;
}

/** Clones the run's template; dropped when the test ends. `await using db = await testIndex();` */
export function testIndex(): Promise<TestIndex> {
  return makeDatabase(`template ${TEMPLATE} strategy file_copy`);
}

/** A database that nobody has migrated. */
export function emptyDatabase(): Promise<TestIndex> {
  return makeDatabase(`encoding 'UTF8' template template0`);
}

async function makeDatabase(how: string): Promise<TestIndex> {
  const server = inject('postgresUrl');
  const name = `isthmus_${randomUUID().replaceAll('-', '')}`;
  await administer(server, `create database ${name} ${how}`);
  const url = databaseUrl(server, name);
  const index = openIndex(url, { applicationName: name });
  return {
    index,
    url,
    async [Symbol.asyncDispose]() {
      await index.close();
      await administer(server, `drop database ${name} with (force)`);
    },
  };
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
