import type { Activities } from '../schema/inputs/activities.ts';
import { triggerActivities } from './receive-triggers.ts';
import type { Services } from './services.ts';

/**
 * Reads the event hub by the path of every trigger. Each turn that runs at the same time has a reader of its own, which
 * the next turn of this process goes on with; one that no turn goes on with gives its partitions up.
 */
export function eventHubActivities(services: Services): Pick<Activities, 'receiveEventHub'> {
  const idle: Pick<Activities, 'receiveTriggers'>[] = [];
  const make = () => triggerActivities({ ...services, openTriggers: () => services.openEventHubs() }, 'event-hubs');
  return {
    async receiveEventHub(turn) {
      const reader = idle.pop() ?? make();
      try {
        return await reader.receiveTriggers(turn);
      } finally {
        idle.push(reader);
      }
    },
  };
}
