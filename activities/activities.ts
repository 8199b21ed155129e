import { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { IsthmusError } from '../schema/errors.ts';
import type { Activities } from '../schema/inputs/activities.ts';
import { lookActivities } from './answer-looks.ts';
import { applicationFailure } from './application-failure.ts';
import { deadLetterActivities } from './dead-letters/dead-letter-intake.ts';
import { stubActivities } from './dispatch-stubs.ts';
import { feedActivities } from './feed/feed-activities.ts';
import { housekeepingActivities } from './housekeeping.ts';
import { hydrateActivities } from './hydrate.ts';
import { eventHubActivities } from './receive-event-hub.ts';
import { triggerActivities } from './receive-triggers.ts';
import { reconcileActivities } from './reconcile.ts';
import type { Services } from './services.ts';
import { subtreeActivities } from './work-subtrees.ts';

/** Every activity of the worker, each with its failures mapped and its attempts counted. */
export function createActivities(services: Services): Activities {
  const activities: Activities = {
    ...triggerActivities(services),
    ...eventHubActivities(services),
    ...deadLetterActivities(services),
    ...feedActivities(services),
    ...lookActivities(services),
    ...subtreeActivities(services),
    ...stubActivities(services),
    ...hydrateActivities(services),
    ...reconcileActivities(services),
    ...housekeepingActivities(services),
  };
  const guarded = Object.entries(activities).map(([name, activity]) => [name, guard(services, name, activity)]);
  return Object.fromEntries(guarded) as Activities;
}

/** Readers of one hub that is away fail at the same time and alike, which is said once. */
const ALIKE_MS = 5_000;

type Activity = (input: never) => Promise<unknown>;

function guard(services: Services, name: string, activity: Activity): Activity {
  const { metrics, log } = services;
  let last = { failed: '', at: Number.NEGATIVE_INFINITY };
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
        if (failed !== last.failed || performance.now() - last.at > ALIKE_MS) {
          log.warn({ activity: name, attempt, code }, `${name} failed: ${failure.message}`);
        }
        last = { failed, at: performance.now() };
      }
      throw failure;
    }
  };
}
