import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../schema/ports/clock.ts';

/**
 * A clock whose time passes only while somebody sleeps by it, and then at once. A turn under it does all that there is
 * to do, however slow the machine, and is over when it has idled for its seconds.
 *
 * @param onSleep told of each sleep before its time has passed.
 */
export function idleClock(onSleep: (ms: number) => void | Promise<void> = () => {}): Clock {
  let now = Date.now();
  return {
    now: () => now,
    async sleep(ms, signal) {
      await onSleep(ms);
      await turn(undefined, { signal });
      now += ms;
    },
  };
}
