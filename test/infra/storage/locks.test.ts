import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Locks } from '../../../infra/local/storage/locks.ts';

describe('Locks', () => {
  it('never grants an exclusive lock beside another holder, and grants all in the end', async () => {
    const request = fc.record({ name: fc.constantFrom('a', 'b'), exclusive: fc.boolean(), turns: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 30 }), async (requests) => {
        const locks = new Locks();
        const inside = new Map<string, { shared: number; exclusive: number }>();
        await Promise.all(
          requests.map(async ({ name, exclusive, turns }) => {
            const release = await (exclusive ? locks.exclusive(name) : locks.shared(name));
            const count = inside.get(name) ?? { shared: 0, exclusive: 0 };
            inside.set(name, count);
            count[exclusive ? 'exclusive' : 'shared'] += 1;
            expect(count.exclusive === 0 || (count.exclusive === 1 && count.shared === 0)).toBe(true);
            for (let turn = 0; turn < turns; turn++) await Promise.resolve();
            count[exclusive ? 'exclusive' : 'shared'] -= 1;
            release();
            release();
          }),
        );
      }),
    );
  });

  it('lets nobody overtake one who waits for an exclusive lock', async () => {
    const locks = new Locks();
    const order: string[] = [];
    const first = await locks.shared('a');
    const writer = locks.exclusive('a').then((release) => {
      order.push('exclusive');
      release();
    });
    const reader = locks.shared('a').then((release) => {
      order.push('shared');
      release();
    });
    first();
    await Promise.all([writer, reader]);
    expect(order).toEqual(['exclusive', 'shared']);
  });
});
