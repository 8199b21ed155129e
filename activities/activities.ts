import type { Activities } from '../schema/inputs/activities.ts';
import { lookActivities } from './answer-looks.ts';
import { deadLetterActivities } from './dead-letters/dead-letter-intake.ts';
import { stubActivities } from './dispatch-stubs.ts';
import { feedActivities } from './feed/feed-activities.ts';
import { guard } from './guard.ts';
import { housekeepingActivities } from './housekeeping.ts';
import { hydrateActivities } from './hydrate.ts';
import { judgeSinkActivities } from './judge-sink.ts';
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
    ...judgeSinkActivities(services),
    ...housekeepingActivities(services),
  };
  const guarded = Object.entries(activities).map(([name, activity]) => [name, guard(services, name, activity)]);
  return Object.fromEntries(guarded) as Activities;
}
