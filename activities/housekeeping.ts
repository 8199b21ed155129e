import type { Activities } from '../schema/inputs/activities.ts';
import { purgeActivities } from './purge.ts';
import type { Services } from './services.ts';
import { sweepActivities } from './sweep-incarnations.ts';

/** What keeps the index tidy and asks nothing of the account. */
export function housekeepingActivities(services: Services): Pick<Activities, 'sweepIncarnations' | 'purgeRetention'> {
  return { ...sweepActivities(services), ...purgeActivities(services) };
}
