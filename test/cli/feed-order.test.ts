import { describe, expect, it } from 'vitest';
import { formatChanged } from '../../cli/commands/control.ts';
import { formatGoesOn } from '../../cli/commands/feed-order.ts';

const REASON = 'log/00/\u001b[31m is damaged';

describe('why a loop stands still', () => {
  it('is said without control characters of what it has read', () => {
    const pause = { by: 'error', since: 0, reason: REASON } as const;
    const said = formatGoesOn({ state: 'alarm', doing: '', turns: 1, totals: {}, pause });
    const table = formatChanged([{ source: 'feed', id: 'feed-tail/contoso', state: 'alarm', reason: REASON }]);
    for (const text of [said, table]) expect(text).toContain('log/00/\\u001b[31m is damaged');
  });
});
