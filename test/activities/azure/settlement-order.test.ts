import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SettlementOrder } from '../../../activities/azure/settlement-order.ts';

/** Settlements that are answered when the test says so; `begun` is what was sent, in order. */
function settlements() {
  const order = new SettlementOrder();
  const begun: string[] = [];
  return {
    begun,
    settle(outcome: string) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const done = order.settle(outcome, () => {
        begun.push(outcome);
        return promise;
      });
      return { answer: resolve, done };
    },
  };
}

describe('the order of settlements', () => {
  it('4: sends another outcome only once every one before it has been answered', async () => {
    const { begun, settle } = settlements();
    const [first, second] = [settle('completed'), settle('completed')];
    settle('dead-lettered: not JSON');
    const last = settle('completed');
    await turn();
    expect(begun).toEqual(['completed', 'completed']);
    first.answer();
    await turn();
    expect(begun).toHaveLength(2);
    second.answer();
    await turn();
    expect(begun).toEqual(['completed', 'completed', 'dead-lettered: not JSON']);
    last.answer();
    await turn();
    expect(begun).toHaveLength(3);
  });

  it('lets any number of one outcome be under way', async () => {
    const { begun, settle } = settlements();
    const all = Array.from({ length: 50 }, () => settle('completed'));
    await turn();
    expect(begun).toHaveLength(50);
    for (const { answer } of all) answer();
    await Promise.all(all.map(({ done }) => done));
    settle('abandoned');
    await turn();
    expect(begun).toHaveLength(51);
  });
});
