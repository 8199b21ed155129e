import { expect, it } from 'vitest';
import { formatReplayed } from '../../cli/commands/replay-feed.ts';

const NOTHING = { records: 0, applied: 0, superseded: 0, ignored: 0, looks: 0 };

it('a replay that read nothing does not say that nothing was missing', () => {
  expect(formatReplayed(NOTHING)).toBe('The feed has no record of that range: nothing was read again.');
  expect(formatReplayed({ ...NOTHING, records: 3, superseded: 3 })).toMatch(/^3 records .* Nothing was missing\.$/);
  expect(formatReplayed({ ...NOTHING, records: 1, applied: 1 })).toMatch(/^1 record read again: 1 applied, /);
});
