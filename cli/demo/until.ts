import { setTimeout as sleep } from 'node:timers/promises';

/** How long something is waited for, how often it is asked for, and what it is, in words. */
interface Wait {
  readonly signal: AbortSignal;
  readonly withinMs: number;
  readonly everyMs: number;
  readonly what: string;
}

/**
 * Asks again and again until there is an answer.
 *
 * @throws where there is none in time, with what was waited for.
 */
export async function until<Answer>(wait: Wait, ask: () => Promise<Answer | undefined>): Promise<Answer> {
  const began = performance.now();
  for (;;) {
    wait.signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() - began > wait.withinMs) {
      throw new Error(`${wait.what} did not come within ${wait.withinMs / 1000} s. Look at \`isthmus status\`.`);
    }
    await sleep(wait.everyMs, undefined, { signal: wait.signal });
  }
}
