import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsvScanner } from '../../../schema/inventory/csv-scanner.ts';

/** What the scanner reads of a text that comes in these pieces; the message where it refuses. */
function scanned(pieces: readonly string[]): readonly (readonly string[])[] | string {
  const records: string[][] = [];
  const scanner = new CsvScanner(
    (names) => {
      records.push([...names]);
      return names.map((_, at) => at);
    },
    (cells) => void records.push([...cells]),
  );
  try {
    for (const piece of pieces) scanner.read(piece);
    scanner.end();
    return records;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The same by the library. */
function parsed(text: string): readonly (readonly string[])[] | undefined {
  try {
    return parse(text, { skip_empty_lines: true, record_delimiter: ['\r\n', '\n'] });
  } catch {
    return undefined;
  }
}

function cut(text: string, places: readonly number[]): readonly string[] {
  const at = [...new Set(places.map((place) => place % (text.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...at].map((from, index) => text.slice(from, at[index] ?? text.length));
}

const places = fc.array(fc.nat(), { maxLength: 8 });

describe('the CSV scanner', () => {
  it('reads what a library wrote, of any script, with quotes, commas and line breaks, cut anywhere', () => {
    const cell = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', '\r\n', 'a', 'é', '\u{1f600}', ' ', '\\') }),
    );
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((columns) =>
        fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 8 }),
      );
    fc.assert(
      fc.property(table, fc.constantFrom('\n', '\r\n'), places, (records, delimiter, where) => {
        // An empty line is no record.
        const told = records.filter((record) => record.join('') !== '' || record.length > 1);
        const text = stringify(told, { record_delimiter: delimiter, quoted_match: /[\r\n]/ });
        expect(scanned(cut(text, where))).toEqual(told);
      }),
    );
  });

  it('reads any text as the library does, and refuses what it refuses', () => {
    const text = fc.string({
      unit: fc.constantFrom('"', '"', ',', ',', '\n', '\n', '\r\n', 'a', 'é', ' '),
      maxLength: 30,
    });
    fc.assert(
      fc.property(text, places, (whole, where) => {
        const expected = parsed(whole);
        const found = scanned(cut(whole, where));
        if (expected === undefined) expect(typeof found).toBe('string');
        else expect(found).toEqual(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it('refuses a carriage return that ends no line, and names the line, those within quotes among them', () => {
    expect(scanned(['a,b\n1,x\ry\n'])).toBe('line 2 has a quote or a carriage return where none may be');
    expect(scanned(['a,b\r\n"1\n\n",2\r\n', '\r\n3,4', ',5\r\n'])).toBe('line 6 has 3 columns, its header 2');
    expect(scanned(['a,b\n1,"2"x\n'])).toBe('line 2 has a quote or a carriage return where none may be');
    expect(scanned(['a,b\n1,2\n"3,4\n'])).toBe('line 3 has a quote that is not closed');
  });

  it('8: holds no record that has no end', () => {
    const piece = 'x'.repeat(100_000);
    expect(scanned(['a\n"', ...Array.from({ length: 20 }, () => piece)])).toBe(
      'line 2 begins a record of more than 1048576 characters',
    );
  });

  it('gives the cells that are wanted alone, in the places that they were given', () => {
    const cells: string[][] = [];
    const scanner = new CsvScanner(
      () => [-1, 1, 0],
      (found) => void cells.push([...found]),
    );
    scanner.read('x,y,z\n"p,""q",2,3\n4,5,6');
    scanner.end();
    expect(cells).toEqual([
      ['3', '2'],
      ['6', '5'],
    ]);
  });
});
