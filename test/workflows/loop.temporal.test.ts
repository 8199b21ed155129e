import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TriggerTurn } from '../../schema/inputs/activities.ts';
import type { LoopInput } from '../../schema/inputs/control.ts';
import { standing, type TestWorkflows, testWorkflows } from './harness.ts';

const INPUT: LoopInput = { federation: 'lake', turnSeconds: 1, idleSeconds: 60 };
const TURN: TriggerTurn = { messages: 3, applied: 2, superseded: 1, ignored: 0, deadLettered: 0 };

let workflows: TestWorkflows;
beforeAll(async () => {
  workflows = await testWorkflows();
});
afterAll(() => workflows[Symbol.asyncDispose]());

/** Some turns that end at once, then one that stands until it is cancelled. */
function turnsThenStanding(turns: number): () => Promise<TriggerTurn> {
  let left = turns;
  return async () => (left-- > 0 ? TURN : await standing());
}

describe('a loop', () => {
  it('takes one turn after the other and adds up what they did', async () => {
    await using loop = await workflows.start('triggerIntake', [INPUT], { receiveTriggers: turnsThenStanding(3) });
    const progress = await loop.until('at its fourth turn', ({ turns }) => turns === 3);
    expect(progress).toMatchObject({ state: 'running', totals: { messages: 9, applied: 6, superseded: 3 } });
  });

  it('pauses with a reason, cancels the turn under way, and goes on when resumed', async () => {
    const seen: string[] = [];
    await using loop = await workflows.start('triggerIntake', [INPUT], {
      receiveTriggers: async () => {
        seen.push('begun');
        try {
          return await standing();
        } catch (error) {
          seen.push((error as Error).name);
          throw error;
        }
      },
    });
    await loop.until('at work', () => seen.length === 1);
    const paused = await loop.pause('the queue moves house');
    expect(seen).toEqual(['begun', 'CancelledFailure']);
    expect(paused).toMatchObject({ state: 'paused', pause: { by: 'operator', reason: 'the queue moves house' } });
    expect(await loop.resume()).toMatchObject({ state: 'running' });
    await loop.until('at work again', ({ state, pause }) => state === 'running' && pause === undefined);
  });

  it('9: goes on when it is resumed before the turn that the pause cancelled has ended', async () => {
    let turns = 0;
    await using loop = await workflows.start('triggerIntake', [INPUT], {
      receiveTriggers: async () => {
        turns += 1;
        try {
          return await standing();
        } finally {
          await new Promise((resolve) => setTimeout(resolve, 1_000));
        }
      },
    });
    await loop.until('at work', () => turns === 1);
    const pausing = loop.pause('on second thought');
    await loop.until('paused', ({ state }) => state === 'paused');
    await loop.resume();
    await pausing;
    await loop.until('at work again', ({ state }) => turns === 2 && state === 'running');
    expect((await loop.handle.describe()).status.name).toBe('RUNNING');
  });

  it('refuses a pause without a reason', async () => {
    await using loop = await workflows.start('triggerIntake', [INPUT], { receiveTriggers: standing });
    await loop.until('at work', ({ state }) => state === 'running');
    await expect(loop.pause(' ')).rejects.toMatchObject({
      cause: { message: expect.stringContaining('needs a reason'), stack: '' },
    });
    // From the UI, with nothing in the field.
    await expect(loop.handle.executeUpdate('pause')).rejects.toMatchObject({
      cause: { message: expect.stringContaining('needs a reason') },
    });
    expect((await loop.progress()).state).toBe('running');
  });

  it('stops in alarm at an error that must be looked at, says why, and goes on when resumed', async () => {
    let broken = true;
    await using loop = await workflows.start('feedTail', [INPUT], {
      tailFeed: async () => {
        if (!broken) return await standing();
        const details = [{ consequence: 'pause' }];
        throw ApplicationFailure.create({
          type: 'ISTHMUS_FEED_CORRUPT',
          message: 'log/00: block 7 at 4096',
          nonRetryable: true,
          details,
        });
      },
    });
    const { pause } = await loop.until('in alarm', ({ state }) => state === 'alarm');
    expect(pause).toMatchObject({ by: 'error', reason: 'tailFeed: ISTHMUS_FEED_CORRUPT: log/00: block 7 at 4096' });
    const { status, typedSearchAttributes } = await loop.handle.describe();
    expect(status.name).toBe('RUNNING');
    expect(Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]))).toMatchObject(
      {
        IsthmusFederation: 'lake',
        IsthmusSource: 'feed',
        IsthmusState: 'alarm',
      },
    );
    broken = false;
    await loop.resume();
    await loop.until('at work', ({ state }) => state === 'running');
  });

  it('tries again by itself where the error may pass', async () => {
    let attempts = 0;
    await using loop = await workflows.start('triggerIntake', [INPUT], {
      receiveTriggers: async () => {
        attempts += 1;
        if (attempts === 1) throw new Error('ECONNREFUSED');
        return attempts === 2 ? TURN : await standing();
      },
    });
    await loop.until('past the error', ({ turns, state }) => turns === 1 && state === 'running');
  });

  it('keeps pause, reason and totals when it continues as new', async () => {
    const carried = { turns: 41, totals: { messages: 7 }, pause: { by: 'operator', reason: 'kept', since: 1 } };
    await using loop = await workflows.start('triggerIntake', [{ ...INPUT, carried }], { receiveTriggers: standing });
    const progress = await loop.until('paused', ({ state }) => state === 'paused');
    expect(progress).toMatchObject({ turns: 41, totals: { messages: 7 }, pause: { reason: 'kept' } });
    await loop.resume();
    await loop.until('at work', ({ state }) => state === 'running');
  });
});

describe('looks and sweeps', () => {
  it('are one loop: where one fails the others are cancelled before it stops in alarm', async () => {
    let cancelled = 0;
    const until = async () => {
      try {
        return await standing();
      } finally {
        cancelled += 1;
      }
    };
    await using loop = await workflows.start('look', [INPUT], {
      answerLooks: async () => {
        throw ApplicationFailure.nonRetryable('something is wrong', 'ISTHMUS_ASSERTION');
      },
      sweepIncarnations: until,
      workSubtrees: until,
    });
    await loop.until('in alarm', ({ state }) => state === 'alarm');
    expect(cancelled).toBe(2);
  });
});
