import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ahead } from '../../../../cli/feed/walk/ahead.ts';

async function* numbers(upTo: number, failAt = Number.POSITIVE_INFINITY): AsyncGenerator<number> {
  for (let number = 0; number < upTo; number++) {
    if (number === failAt) throw new Error('the source failed');
    yield number;
  }
}

describe('work ahead of its consumer', () => {
  it('8: is never wider than it may be, and comes in order', async () => {
    let open = 0;
    let most = 0;
    const got: number[] = [];
    const work = async (number: number): Promise<number> => {
      most = Math.max(most, ++open);
      await sleep((7 * number) % 5);
      return number;
    };
    for await (const number of ahead(numbers(40), 4, work)) {
      open--;
      got.push(number);
    }
    expect(got).toEqual(Array.from({ length: 40 }, (_, number) => number));
    expect(most).toBe(4);
  });

  it('fails where its item is reached, after all before it', async () => {
    const got: number[] = [];
    const read = async (source: AsyncIterable<number>, work: (number: number) => Promise<number>): Promise<void> => {
      for await (const number of ahead(source, 4, work)) got.push(number);
    };
    const refuse = async (number: number): Promise<number> => {
      if (number === 2) throw new Error('the work failed');
      return number;
    };
    await expect(read(numbers(10), refuse)).rejects.toThrow('the work failed');
    await expect(read(numbers(10, 3), async (number) => number)).rejects.toThrow('the source failed');
    expect(got).toEqual([0, 1, 0, 1, 2]);
  });

  it('waits for what is under way where its consumer has enough', async () => {
    let running = 0;
    const work = async (): Promise<void> => {
      running++;
      await sleep(5);
      running--;
    };
    for await (const _ of ahead(numbers(40), 4, work)) break;
    expect(running).toBe(0);
  });
});
