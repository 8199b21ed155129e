import { describe, expect, it } from 'vitest';
import { OwnTime } from './own-time.ts';

const BLOCKED_MS = 400;

function worked(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

describe("a process's own time", () => {
  it('passes while the process works, however long it blocks its event loop', () => {
    using time = new OwnTime();
    const began = { own: time.ms, wall: performance.now() };
    for (const end = worked() + BLOCKED_MS; worked() < end; );
    // Several threads may work at once, in less time.
    const least = Math.min(BLOCKED_MS, performance.now() - began.wall) - 10;
    expect(time.ms - began.own).toBeGreaterThan(least);
  });

  it('stands still while the process does', () => {
    using time = new OwnTime();
    const began = { worked: worked(), own: time.ms };
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCKED_MS);
    const passed = time.ms - began.own;
    expect(passed).toBeLessThanOrEqual(Math.max(50, worked() - began.worked));
    expect(passed).toBeLessThan(BLOCKED_MS);
  });
});
