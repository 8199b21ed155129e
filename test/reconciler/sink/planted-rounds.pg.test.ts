import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compareUtf8 } from '../../../namespace/key.ts';
import type { Sink } from '../../../schema/ports/sink.ts';
import { seededRandom } from '../../support/random.ts';
import { watchedIndex } from '../support/watched-index.ts';
import { DAMAGES, plantForeign, plantStray } from './planted.ts';
import { dispatching, type SinkWorld, sinkWorlds } from './sink-world.ts';

const ROUNDS = 2;

/** Damages some names below the prefix. @returns what a judge must tell of them. */
async function plant(world: SinkWorld, prefix: string, random: () => number): Promise<string[]> {
  const names = Array.from({ length: 24 }, (_, at) => `${prefix}${at % 4}/${at}`);
  const dead = names.filter(() => random() < 0.2);
  await world.test.put([...names, `${prefix}a`, `${prefix}a/b`, `${prefix}dir/`], 1);
  if (dead.length > 0) await world.test.delete(dead, 2);
  await world.settle();
  const told = [`${prefix}a unrepresentable-name open`, `${prefix}dir/ unrepresentable-name open`];
  const damages = Object.values(DAMAGES);
  for (const name of names) {
    if (random() < 0.5) continue;
    if (dead.includes(name)) told.push(...(await plantStray(world, name)));
    else told.push(...(damages[Math.floor(random() * damages.length)]?.(world, name) ?? []));
  }
  told.push(...plantForeign(world, `${prefix}9/mine`), ...(await plantStray(world, `${prefix}never/heard`)));
  return told.toSorted(compareUtf8);
}

/** Forgets what is open: what is foreign goes, and the names that it hid are due again. */
function clean({ view }: SinkWorld, told: readonly string[]): void {
  for (const line of told) {
    const [key = '', cause] = line.split(' ');
    if (cause === 'foreign-file') rmSync(`${view.root}/${key}`);
  }
}

async function expectRight(world: SinkWorld): Promise<void> {
  const { is, must } = await world.shown();
  // What is no path is not shown.
  expect(is).toEqual(must.filter((line) => !line.includes('/ ')));
}

const sinkWorld = sinkWorlds();

describe('6: a judge of a sink', () => {
  it(`finds all that was planted and nothing else in ${ROUNDS} seeded rounds, while names change and a dispatcher works`, async () => {
    await using world = await sinkWorld();
    const busy = Array.from({ length: 12 }, (_, at) => `lake/busy/${at % 3}${at < 3 ? '' : `/${at}`}`);
    await world.test.put(busy, 1);
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const random = seededRandom(seed);
      const planted = await plant(world, `lake/r${seed}/`, random);
      await using _dispatcher = dispatching(world);
      const index = watchedIndex(world.test.services.index, async (text) => {
        if (!/^\s*(select|with)/.test(text) || random() > 0.3) return;
        const name = busy[Math.floor(random() * busy.length)] ?? '';
        if (random() < 0.3) await world.test.delete([name], seed);
        else await world.test.put([name], seed * 1_000 + Math.floor(random() * 1_000));
      });
      const { runId, outcome } = await world.judge({ with: { index } });
      const told = (await world.told(runId)).filter((line) => !/^lake\/busy\/.* unrepresentable-name/.test(line));
      const earlier = told.filter((line) => !line.startsWith(`lake/r${seed}/`));
      expect(
        told.filter((line) => !earlier.includes(line)),
        `seed ${seed}`,
      ).toEqual(planted);
      expect(
        earlier.filter((line) => !/ unrepresentable-name open$/.test(line)),
        `seed ${seed}`,
      ).toEqual([]);
      expect(outcome).toBe('complete');
      clean(world, planted);
      await world.test.drain();
      await world.settle();
      const { runId: second } = await world.judge();
      expect(
        (await world.told(second)).filter((line) => / (open|looking)$/.test(line) && !/ unrepr/.test(line)),
      ).toEqual([]);
      await expectRight(world);
    }
  });

  it('ends as one that lives where it dies before every kind of statement and every call of the sink', async () => {
    await using calm = await sinkWorld();
    const expected = await plant(calm, 'lake/', seededRandom(7));
    const { runId: calmRun, ...lived } = await calm.judge();
    expect(await calm.told(calmRun)).toEqual(expected);

    await using world = await sinkWorld();
    await plant(world, 'lake/', seededRandom(7));
    const died = new Set<string>();
    let dead = false;
    const before = (what: string) => {
      if (!dead && !died.has(what)) {
        died.add(what);
        dead = true;
      }
      if (dead) throw new Error(`killed before ${what}`);
    };
    const index = watchedIndex(world.test.services.index, (text) => before(text.replace(/\d+/g, 'N')));
    const sink = watchedSink(world.view.sink, before);
    const runId = await world.prepare();
    const summary = await (async () => {
      for (;;) {
        try {
          return await world.judge({ runId, with: { index, sink } });
        } catch (error) {
          if (!dead) throw error;
          dead = false;
        }
      }
    })();
    expect(await world.told(runId)).toEqual(expected);
    expect(summary).toMatchObject({ outcome: lived.outcome, files: lived.files, live: lived.live, drift: lived.drift });
    expect(died.size).toBeGreaterThan(25);
    expect(await staged(world)).toEqual([]);
    clean(world, expected);
    await world.judge();
    await expectRight(world);
  });
});

async function staged({ test }: SinkWorld): Promise<readonly string[]> {
  const { rows } = await test.services.index.pool.query<{ tablename: string }>(
    "select tablename from pg_tables where tablename like 'reconcile%'",
  );
  return rows.map(({ tablename }) => tablename);
}

function watchedSink(sink: Sink, before: (what: string) => void): Sink {
  return new Proxy(sink, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) => {
        before(String(name));
        return value.apply(target, given);
      };
    },
  });
}
