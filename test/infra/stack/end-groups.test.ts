import { expect, it } from 'vitest';
import { endGroups } from '../../../infra/local/end-groups.ts';

it('a process group that is gone gets no signal, while one that stays gets SIGKILL once its time is over', async () => {
  let now = 0;
  const goneAt = new Map([
    [1, 0],
    [2, 2_000],
    [3, Number.POSITIVE_INFINITY],
  ]);
  const sent: (readonly [number, NodeJS.Signals, number])[] = [];
  const asked = new Map<number, number>();
  const send = (pid: number, signal: NodeJS.Signals | 0) => {
    if (signal !== 0) sent.push([pid, signal, now]);
    else asked.set(pid, now);
    return now < (goneAt.get(Math.abs(pid)) ?? 0);
  };
  const rest = async (ms: number) => {
    now += ms;
  };
  const groups = new Map([...goneAt.keys()].map((pid) => [pid, pid === 2 ? 'SIGINT' : 'SIGTERM'] as const));
  await endGroups(groups, 6_000, { send, rest });
  expect(sent).toEqual([
    [1, 'SIGTERM', 0],
    [2, 'SIGINT', 0],
    [3, 'SIGTERM', 0],
    [-3, 'SIGKILL', 6_000],
  ]);
  // It is not asked for again either.
  expect([...asked]).toEqual([
    [-1, 0],
    [-2, 2_000],
    [-3, 6_000],
  ]);
});
