import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBatch } from '../../../activities/azure/trigger-batch.ts';
import { hasRealData, REAL_DATA } from '../../support/real-data.ts';

const FOLDER = join(REAL_DATA, 'eventgrid');
const samples = hasRealData
  ? readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.json'))
      .flatMap((path): readonly unknown[] => {
        const parsed: unknown = JSON.parse(readFileSync(join(FOLDER, path), 'utf8'));
        return Array.isArray(parsed) ? parsed : [parsed];
      })
  : [];

const ACCOUNT = { name: 'jolovstorage', margin: 20_000 };

/** Sorts one message, and counts the events that come out of it. */
function outOf(body: unknown) {
  const batch = readBatch([{ id: 'm', body, enqueuedAt: Date.now(), deliveryCount: 1 }], ACCOUNT);
  const refused = batch.deadLetters.reduce((sum, { events }) => sum + events, 0);
  const ignored = Object.values(batch.ignored).reduce((sum, each) => sum + each, 0);
  // The old name of a rename is a second event of the same one.
  const takenAway = batch.events.filter(
    ({ eventId }, at) => batch.events[at - 1]?.eventId === eventId && at > 0,
  ).length;
  return { ...batch, count: batch.events.length - takenAway + batch.completed.length + ignored + refused };
}

type Fields = Record<string, unknown>;

/** The sample with one of its fields, or of its data, taken out or put to something of another type. */
const mutated = fc
  .record({
    sample: fc.constantFrom(...(samples.length === 0 ? [{}] : (samples as Fields[]))),
    inData: fc.boolean(),
    field: fc.nat(),
    value: fc.oneof(fc.constant(undefined), fc.jsonValue()),
  })
  .map(({ sample, inData, field, value }): Fields => {
    const data = sample.data as Fields | undefined;
    const into = inData && data !== undefined ? data : sample;
    const name = Object.keys(into)[field % Math.max(1, Object.keys(into).length)] ?? 'id';
    const changed = { ...into, [name]: value };
    if (value === undefined) delete changed[name];
    return into === data ? { ...sample, data: changed } : changed;
  });

/** What a message of so many events may be. */
const unique = (events: readonly Fields[]) => events.map((event, at) => ({ ...event, ...idOf(event, at) }));
const idOf = ({ id }: Fields, at: number) => (typeof id === 'string' && id !== '' ? { id: `${id}-${at}` } : {});

describe.skipIf(!hasRealData)('the samples of Event Grid', () => {
  it('each become a change, something that is counted, or a refusal that says why', () => {
    for (const sample of samples) {
      const { events, completed, ignored, deadLetters, count } = outOf(sample);
      expect(count).toBe(1);
      if (events.length + completed.length + Object.keys(ignored).length > 0) continue;
      expect(deadLetters).toMatchObject([{ description: /./ }]);
    }
  });

  it('mutated and doubled never crash the intake and never vanish: what goes in comes out, counted', () => {
    fc.assert(
      fc.property(fc.array(mutated, { minLength: 1, maxLength: 6 }), fc.boolean(), (events, doubled) => {
        const sent = unique(doubled ? [...events, ...events] : events);
        const { count, good, deadLetters } = outOf(sent);
        expect(count).toBe(sent.length);
        expect(good.length + deadLetters.length).toBe(1);
        expect(outOf(JSON.stringify(sent)).count).toBe(sent.length);
      }),
      { numRuns: 2_000 },
    );
  });

  it('truncated anywhere are refused whole', () => {
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.double({ min: 0, max: 1, noNaN: true }), (sample, part) => {
        const text = JSON.stringify(sample);
        const cut = text.slice(0, Math.floor(part * (text.length - 1)));
        expect(outOf(cut)).toMatchObject({ count: 1, good: [], deadLetters: [{ reason: 'not-json' }] });
        expect(outOf(Buffer.from(cut))).toMatchObject({ count: 1, good: [] });
      }),
      { numRuns: 500 },
    );
  });
});
