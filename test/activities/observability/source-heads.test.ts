import { describe, expect, it } from 'vitest';
import { SilenceWatch } from '../../../activities/observability/silence.ts';
import { inventoryHead, triggerHead } from '../../../activities/observability/source-heads.ts';
import type { SourceRow } from '../../../schema/index/sources.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const HOUR = 3_600_000;
const { signal } = new AbortController();
const row = (source: SourceRow['source'], more: Partial<SourceRow> = {}): SourceRow => ({
  ...{ accountId: 1, source, state: 'receiving', updatedAt: NOW },
  ...more,
});

/** Glances at a queue, one after the other. */
function intake(patienceMs: number, pause?: { readonly reason?: string }) {
  const watch = new SilenceWatch();
  return (oldest: number | Error | undefined, now: number, applied = NOW - 90_000) => {
    const queue = {
      oldest: async () => {
        if (oldest instanceof Error) throw oldest;
        return oldest;
      },
    };
    return triggerHead('trigger', queue, { row: row('trigger', { applied }), now, watch, patienceMs, pause }, signal);
  };
}

describe('9: where the other sources stand', () => {
  it('9: a queue whose messages nobody settles is silent once it was watched long enough', async () => {
    const glance = intake(45_000);
    expect(await glance(NOW, NOW)).toMatchObject({ behind: 'messages wait in the queue', alarms: [], suspect: false });
    expect(await glance(NOW, NOW + 44_000)).toMatchObject({ silentSince: NOW, lagMs: 44_000, alarms: [] });
    expect((await glance(NOW, NOW + 46_000)).alarms).toMatchObject([{ source: 'trigger', kind: 'silent', since: NOW }]);
  });

  it('9: says of an intake that is paused that it is', async () => {
    const glance = intake(45_000, { reason: 'storage moves' });
    await glance(NOW, NOW);
    expect((await glance(NOW, NOW + 46_000)).alarms[0]?.message).toBe(
      'messages wait in the queue, and nothing is being taken: its loop is paused (storage moves), and goes on with `isthmus resume trigger`',
    );
  });

  it('9: one that looks only once suspects an old message, and is sure at its second glance', async () => {
    const glance = intake(1_000);
    expect(await glance(NOW - 70_000, NOW)).toMatchObject({ suspect: true, alarms: [] });
    expect((await glance(NOW - 70_000, NOW + 1_500)).alarms).toHaveLength(1);
  });

  it('9: an intake that takes anything is not silent, however old its queue is', async () => {
    const glance = intake(1_000);
    await glance(NOW - 70_000, NOW);
    expect((await glance(NOW - 69_000, NOW + 1_500)).alarms).toEqual([]);
    expect((await glance(NOW - 69_000, NOW + 3_000, NOW)).alarms).toEqual([]);
  });

  it('9: an empty queue is not behind, however long ago the last message was', async () => {
    expect(await intake(1_000)(undefined, NOW)).toMatchObject({ behind: undefined, silentSince: undefined });
  });

  it('9: a queue that cannot be asked is behind, says why, and is an alarm in the end', async () => {
    const glance = intake(45_000);
    const away = new Error('connect ECONNREFUSED');
    expect(await glance(away, NOW)).toMatchObject({ state: 'unreachable', reason: 'connect ECONNREFUSED' });
    expect((await glance(away, NOW + 46_000)).alarms[0]?.message).toContain('connect ECONNREFUSED');
  });

  it('9: an inventory that did not come within twice its time is behind', () => {
    const [late, good] = [49, 47].map((hours) => row('inventory', { applied: NOW - hours * HOUR }));
    expect(inventoryHead(late, 24, undefined, NOW).behind).toContain('49 hours');
    expect(inventoryHead(good, 24, undefined, NOW)).toMatchObject({ behind: undefined, alarms: [] });
    expect(inventoryHead(undefined, 24, NOW - 49 * HOUR, NOW).behind).toContain('49 hours');
  });
});
