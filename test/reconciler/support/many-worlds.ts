import { afterAll, beforeAll } from 'vitest';
import type { Rule } from '../../../namespace/rule.ts';
import { type TestIndex, testIndex } from '../../support/postgres.ts';
import { fewPartitions } from './few-partitions.ts';
import { makeWorld, type World } from './world.ts';

/** One index for the tests of a file, with an account for each: what makes a world then takes milliseconds. */
export function manyWorlds(): (rules?: readonly Rule[]) => Promise<World> {
  let db: TestIndex | undefined;
  let made = 0;
  beforeAll(async () => {
    db = await testIndex();
    await fewPartitions(db.index);
  });
  afterAll(() => db?.[Symbol.asyncDispose]());
  return (rules) => {
    if (db === undefined) throw new Error('a world is made in a test');
    return makeWorld(db.index, rules, `account${++made}`);
  };
}
