import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { feedActivities } from '../../../activities/feed/feed-activities.ts';
import { type Index, openIndex } from '../../../schema/index/database.ts';
import type { FeedCondition, FeedStore } from '../../../schema/ports/feed-store.ts';
import { testIndex } from '../../support/postgres.ts';
import { runActivity, testServices } from '../test-services.ts';
import { emptyIndex, inPasses, knownFeed, namesByCursor, namesInIndex, tailToEnd } from './feed-of.ts';

class Killed extends Error {}

/** Everything that a process waits for, counted; at one of them it dies. */
class Steps {
  readonly #killAt: number;
  readonly #answered: boolean;
  taken = 0;
  dead = false;

  /** @param answered whether what was asked for is still done, and only its answer is never seen. */
  constructor(killAt: number, answered: boolean) {
    this.#killAt = killAt;
    this.#answered = answered;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.dead) throw new Killed();
    const dies = ++this.taken === this.#killAt;
    if (dies) this.dead = true;
    if (dies && !this.#answered) throw new Killed();
    const result = await work();
    if (this.dead) throw new Killed();
    return result;
  }
}

/** The index as a process sees it whose every statement is a step. A dead one's connections are cut. */
function mortalIndex(url: string, steps: Steps) {
  const index = openIndex(url, { max: 6, applicationName: 'mortal' });
  const clients = new Set<pg.PoolClient>();
  index.pool.on('connect', (client) => {
    clients.add(client);
    const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
    client.query = ((...args: unknown[]) => {
      // The pool's own last word to a connection is none of ours.
      const sent = steps.take(() => query(...args));
      sent.catch(() => {});
      return sent;
    }) as typeof client.query;
  });
  const cut = () => {
    for (const client of clients)
      (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  };
  return { index, cut };
}

/** Waits until the server has ended what the dead one had under way. */
async function gone(index: Index): Promise<void> {
  for (;;) {
    const { rows } = await index.pool.query(`select from pg_stat_activity where application_name = 'mortal'`);
    if (rows.length === 0) return;
    await sleep(5);
  }
}

function mortalFeed(feed: FeedStore, steps: Steps): FeedStore {
  return {
    readText: (path: string, condition: FeedCondition, signal: AbortSignal) =>
      steps.take(() => feed.readText(path, condition, signal)),
    readRange: (path: string, offset: number, length: number, condition: FeedCondition, signal: AbortSignal) =>
      steps.take(() => feed.readRange(path, offset, length, condition, signal)),
    async *list(prefix: string, signal: AbortSignal) {
      await steps.take(async () => undefined);
      yield* feed.list(prefix, signal);
    },
  };
}

const PAGE = { pageRecords: 6 };

describe('a tail that is killed', () => {
  it.each([
    ['before a step', false],
    ['after a step whose answer it never saw', true],
  ])(
    '3: at any moment, %s, has committed pages with their places only, and the next attempt ends as one run would',
    async (_, answered) => {
      await using db = await testIndex();
      const feed = knownFeed();
      const services = await testServices(db.index, { feed });
      const { id } = services.account;
      let whole = 0;
      for (let killAt = 1; whole === 0; killAt += killAt < 20 ? 1 : 6) {
        const steps = new Steps(killAt, answered);
        const { index, cut } = mortalIndex(db.url, steps);
        const mortal = feedActivities(inPasses({ ...services, index, feed: mortalFeed(feed, steps) }), PAGE);
        const died = await runActivity(() => mortal.tailFeed({ seconds: 60 })).then(
          () => false,
          () => true,
        );
        cut();
        await index.close().catch(() => {});
        await gone(db.index);
        expect(died || !steps.dead, `killed at step ${killAt}`).toBe(true);
        if (!steps.dead) whole = steps.taken;
        expect(await namesInIndex(db.index, id), `killed at step ${killAt}`).toEqual(
          await namesByCursor(db.index, id, feed),
        );
        const turns = await tailToEnd(services, PAGE);
        expect(await namesInIndex(db.index, id)).toEqual(feed.names);
        expect(turns.map(({ superseded }) => superseded).filter((count) => count > 0)).toEqual([]);
        await emptyIndex(db.index);
      }
      expect(whole).toBeGreaterThan(20);
    },
    300_000,
  );
});
