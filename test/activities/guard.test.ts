import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { guard } from '../../activities/guard.ts';
import { Metrics } from '../../activities/observability/metrics.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Activities that fail for the reason that is given, and the lines that are told of it. */
function failing() {
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => lines.push(JSON.parse(line).msg) });
  const state = { why: 'the hub is away' };
  const services = { log, metrics: new Metrics(), rulesAreStale: () => {} };
  const fails = async () => {
    throw new Error(state.why);
  };
  const activities = {
    receiveEventHub: guard(services, 'receiveEventHub', fails),
    receiveTriggers: guard(services, 'receiveTriggers', fails),
  };
  return {
    lines,
    state,
    fail: async (name: keyof typeof activities, attempt = 1) => {
      const running = new MockActivityEnvironment({ attempt }).run(() => activities[name](undefined as never));
      await expect(running).rejects.toThrow(state.why);
    },
  };
}

const AWAY = 'receiveEventHub failed: the hub is away';

it('readers of a hub that fail alike within five seconds are told of once, and again after those', async () => {
  const { lines, fail } = failing();
  for (const told of [1, 1, 2, 2, 3]) {
    await fail('receiveEventHub');
    expect(lines).toEqual(Array(told).fill(AWAY));
    vi.advanceTimersByTime(3_000);
  }
});

it('readers of a hub that fail otherwise, or once more, are told of at once', async () => {
  const { lines, state, fail } = failing();
  await fail('receiveEventHub');
  await fail('receiveEventHub', 2);
  state.why = 'the hub knows no such key';
  await fail('receiveEventHub', 2);
  expect(lines).toEqual([AWAY, AWAY, 'receiveEventHub failed: the hub knows no such key']);
});

it('another activity is told of each time that it fails', async () => {
  const { lines, fail } = failing();
  await fail('receiveTriggers');
  await fail('receiveTriggers');
  expect(lines).toHaveLength(2);
});
