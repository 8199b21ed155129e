import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LastWords } from '../../../cli/feed/verify/last-words.ts';
import type { BlobEvent } from '../../../namespace/change.ts';
import { parseEpoch } from '../../../namespace/epoch.ts';
import { parseSequencer } from '../../../namespace/sequencer.ts';
import { testIndex } from '../../support/postgres.ts';

const NAMES = ['a', 'b', 'tab\tand\\slash', 'line\nbreak', 'ü😀', 'x'.repeat(700), `${'x'.repeat(700)}y`];

const events = fc.array(
  fc.record({
    container: fc.constantFrom('one', 'two'),
    name: fc.constantFrom(...NAMES),
    epoch: fc.integer({ min: 1, max: 2 }),
    sequencer: fc.integer({ min: 1, max: 1_000 }),
    effect: fc.constantFrom('put', 'delete', 'touch'),
  }),
  { maxLength: 120 },
);

function eventOf(
  at: number,
  told: { container: string; name: string; epoch: number; sequencer: number; effect: string },
) {
  return {
    ...{ kind: 'event', source: 'feed', api: '', eventId: `${at}`, time: at },
    ...{ container: told.container, name: told.name, effect: told.effect },
    attributes: { etag: `0x${at}`, length: 1 },
    epoch: parseEpoch(told.epoch.toString(16)),
    sequencer: parseSequencer(told.sequencer.toString(16)),
  } as BlobEvent;
}

it('1: keeps the word with the newest epoch and sequencer of each key, however they come and are gathered', async () => {
  await using db = await testIndex();
  await fc.assert(
    fc.asyncProperty(events, fc.integer({ min: 1, max: 9 }), async (told, page) => {
      const client = await db.index.pool.connect();
      try {
        const words = await LastWords.create(client, { page, gathered: 2 * page });
        const expected = new Map<string, string>();
        for (const [at, each] of told.entries()) {
          const event = eventOf(at, each);
          await words.add(event, { chunk: 'c', offset: at, index: 0 });
          const key = `${each.container}/${each.name}`;
          const clock = `${event.epoch}${event.sequencer}`;
          if (clock > (expected.get(key) ?? '')) expected.set(key, clock);
        }
        expect(await words.seal()).toBe(expected.size);
        const { rows } = await client.query<{ key: string; clock: string }>(
          `select container || '/' || head || tail as key, encode(epoch, 'hex') || encode(sequencer, 'hex') as clock from feed_words`,
        );
        expect(new Map(rows.map(({ key, clock }) => [key, clock]))).toEqual(expected);
      } finally {
        client.release(true);
      }
    }),
    { numRuns: 40 },
  );
});
