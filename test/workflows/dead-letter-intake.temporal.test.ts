import { expect, it } from 'vitest';
import type { DeadLetterTurn } from '../../schema/inputs/activities.ts';
import { testWorkflows } from './harness.ts';

it('the dead-letter intake goes on while there is more, then rests for as long as its turn says', async () => {
  await using workflows = await testWorkflows();
  const turn: DeadLetterTurn = {
    ...{ blobs: 200, events: 300, applied: 250, superseded: 30, ignored: 10, kept: 10 },
    ...{ more: true, restSeconds: 777 },
  };
  let turns = 0;
  const input = { federation: 'test', turnSeconds: 1, idleSeconds: 60 };
  await using intake = await workflows.start('deadLetterIntake', [input], {
    readDeadLetters: async () => ({ ...turn, more: ++turns < 3 }),
  });
  const resting = await intake.until('at rest', ({ state, turns: done }) => state === 'waiting' && done === 3);
  expect(resting.totals).toEqual({ blobs: 600, events: 900, applied: 750, superseded: 90, ignored: 30, kept: 30 });
  expect(await intake.rests()).toEqual([{ seconds: 777, passed: false }]);
  expect(await intake.pause('a test')).toMatchObject({ state: 'paused' });
  await intake.resume();
  await intake.until('at work again', ({ turns: done }) => done === 4);
});
