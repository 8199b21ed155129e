import { describe, expect, it } from 'vitest';
import { formatBytes, formatSeconds, formatTable, formatTime } from '../../cli/format.ts';
import { printable } from '../../cli/terminal.ts';

describe('what people read', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [40 * 1024 ** 2 + 17, '40 MiB'],
    [770 * 1024 ** 5, '770 PiB'],
    [5000 * 1024 ** 6, '5000 EiB'],
  ])('%i bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [0.25, '0.3 s'],
    [89, '89 s'],
    [600, '10 min'],
    [7_200, '2 h'],
    [864_000, '10 d'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });

  it('lines up columns and leaves nothing at the ends of lines', () => {
    expect(
      formatTable([
        ['a', 'bb', 'c'],
        ['aaa', '', ''],
      ]),
    ).toBe('a    bb  c\naaa');
  });

  it('is never an impossible date', () => {
    expect(formatTime(Number.NEGATIVE_INFINITY)).toBe('never');
    expect(formatTime(0)).toBe('1970-01-01T00:00:00.000Z');
  });

  it('never holds control characters of a name', () => {
    expect(printable('a\u001b[2Jb\nc\u2028d')).toBe('a\\u001b[2Jb\\u000ac\\u2028d');
    expect(printable('é/日本')).toBe('é/日本');
  });
});
