import { expect, it } from 'vitest';
import { Sleepers } from '../../../activities/azure/sleepers.ts';

const HOUR_MS = 3_600_000;

it('a wait throws what its signal says, also where it had said so before', async () => {
  const stop = new AbortController();
  const sleepers = new Sleepers();
  const waiting = sleepers.wait(HOUR_MS, stop.signal, () => false);
  stop.abort(new Error('stopped'));
  await expect(waiting).rejects.toThrow('stopped');
  await expect(sleepers.wait(HOUR_MS, stop.signal, () => false)).rejects.toThrow('stopped');
});

it('a wait ends for whoever has enough, and goes on for the others', async () => {
  const { signal } = new AbortController();
  const sleepers = new Sleepers();
  let there = 0;
  const ended: number[] = [];
  const waits = [1, 2].map((count) =>
    sleepers.wait(HOUR_MS, signal, () => there >= count).then(() => ended.push(count)),
  );
  for (there = 1; there <= 2; there++) {
    sleepers.wake();
    await waits[there - 1];
    expect(ended).toHaveLength(there);
  }
});
