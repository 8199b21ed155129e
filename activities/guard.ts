import { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { IsthmusError } from '../schema/errors.ts';
import { applicationFailure } from './application-failure.ts';
import type { Services } from './services.ts';

/** Several of these run at once: readers of one hub that is away fail at the same time and alike. */
const READERS: ReadonlySet<string> = new Set(['receiveEventHub']);
/** What readers say alike within this time is said once. */
const ALIKE_MS = 5_000;

type Activity = (input: never) => Promise<unknown>;
type Guarding = Pick<Services, 'log' | 'metrics' | 'rulesAreStale'>;

/** An activity with its failures mapped and told, and its attempts counted. */
export function guard(services: Guarding, name: string, activity: Activity): Activity {
  const { metrics, log } = services;
  let told = { failed: '', at: Number.NEGATIVE_INFINITY };
  return async (input) => {
    const began = performance.now();
    const seconds = () => (performance.now() - began) / 1000;
    const { cancellationSignal, info } = Context.current();
    try {
      const result = await activity(input);
      metrics.attempt(name, 'done', seconds());
      return result;
    } catch (error) {
      if (error instanceof IsthmusError && error.code === 'ISTHMUS_RULES_MOVED') services.rulesAreStale();
      const failure = applicationFailure(error, cancellationSignal.aborted);
      if (failure instanceof CancelledFailure) metrics.attempt(name, 'cancelled', seconds());
      else {
        const code = 'type' in failure && typeof failure.type === 'string' ? failure.type : 'Error';
        metrics.attempt(name, 'failed', seconds(), code);
        const { attempt } = info;
        const failed = `${attempt} ${code} ${failure.message}`;
        const now = performance.now();
        if (!READERS.has(name) || failed !== told.failed || now - told.at > ALIKE_MS) {
          log.warn({ activity: name, attempt, code }, `${name} failed: ${failure.message}`);
          told = { failed, at: now };
        }
      }
      throw failure;
    }
  };
}
