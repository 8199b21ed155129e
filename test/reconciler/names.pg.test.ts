import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatKey } from '../../namespace/key.ts';
import { readFindings } from '../../schema/index/findings.ts';
import { isStorable } from '../../schema/index/storable.ts';
import { manyWorlds } from './support/many-worlds.ts';
import { writeReport } from './support/report.ts';

const ROUNDS = 8;
const world = manyWorlds();

/** Any text that Azure takes for a name: 1,024 characters at most, of up to four bytes each, slashes anywhere. */
const name = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom(',', '"', '\n', '\r', '\t', '/', '\\', "'", ' ', 'a', '\u00e9', '\u{1f600}'),
    minLength: 1,
    maxLength: 30,
  }),
  fc.string({ unit: fc.constantFrom('\u{10348}', '\u{1f600}', '\u{2f81a}'), minLength: 512, maxLength: 512 }),
  fc.constantFrom(
    '.',
    '..',
    './',
    '//',
    '/',
    'a//b',
    '"',
    '""',
    ',',
    '\n',
    '\ufeff',
    '\ufeffname',
    '=cmd()',
    'N',
    '\\N',
    '\\.',
  ),
);

describe('1: a name', () => {
  it('goes from the account through a report of either format, stage and judge to its finding and into the index as it is', async () => {
    const property = fc.asyncProperty(
      fc.uniqueArray(name.filter(isStorable), { minLength: 1, maxLength: 20 }),
      fc.constantFrom('csv', 'parquet'),
      async (names, format) => {
        const here = await world();
        for (const each of names) here.blobs.put('lake', each);
        here.blobs.later(60_000);
        writeReport(here.blobs, { format, rowsPerFile: 7 });
        const { runId } = await here.reconcile({ judge: 'inventory' });
        const found = await readFindings(here.index.db, runId, { limit: 1_000 });
        const expected = names.map((each) => `lake/${each}`).toSorted();
        expect(found.map(formatKey).toSorted()).toEqual(expected);
        expect((await here.names('lake/')).toSorted()).toEqual(expected);
      },
    );
    await fc.assert(property, { numRuns: ROUNDS });
  });
});

it('metadata that jsonb does not take is staged as it can be', async () => {
  const here = await world();
  here.blobs.put('lake', 'a', 'a', { metadata: { nul: 'a\0b', half: '\ud83d' } });
  here.blobs.later(60_000);
  writeReport(here.blobs);
  expect(await here.reconcile({ judge: 'inventory' })).toMatchObject({ outcome: 'complete', listed: 1 });
});
