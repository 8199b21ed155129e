import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import type { Index } from '../../../schema/index/database.ts';
import type { Tables } from '../../../schema/index/tables.ts';

/** Called before each statement, with its text; what it throws is what the statement fails with. */
export type BeforeStatement = (text: string) => void | Promise<void>;

/** The same index, of which somebody is asked before each statement, so that a test can write, or kill, between any two. */
export function watchedIndex(index: Index, before: BeforeStatement): Index {
  const pool = watched(index.pool, before);
  return { pool, db: new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }), close: async () => {} };
}

function watched(pool: pg.Pool, before: BeforeStatement): pg.Pool {
  return new Proxy(pool, {
    get(target, name) {
      if (name === 'connect') return async () => watchedClient(await target.connect(), before);
      if (name === 'query') {
        return async (...given: [string]) => {
          await before(given[0]);
          return target.query(...given);
        };
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function watchedClient(client: pg.PoolClient, before: BeforeStatement): pg.PoolClient {
  return new Proxy(client, {
    get(target, name) {
      if (name === 'query') return (...given: [string]) => query(target, before, given);
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function query(client: pg.PoolClient, before: BeforeStatement, given: [string | { text?: string; submit?: unknown }]) {
  const [what] = given;
  const text = typeof what === 'string' ? what : (what.text ?? '');
  // A stream (COPY, a cursor) is handed back at once: who is asked first cannot be waited for.
  if (typeof what === 'object' && typeof what.submit === 'function') {
    const asked = before(text);
    if (asked !== undefined) void asked.catch(() => {});
    return client.query(what as pg.Submittable);
  }
  // What was done is undone in any case: a connection is handed on clean.
  if (/^rollback/i.test(text)) return client.query(...(given as [string]));
  return (async () => {
    await before(text);
    return client.query(...(given as [string]));
  })();
}
