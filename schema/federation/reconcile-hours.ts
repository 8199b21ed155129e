import type { Federation } from './federation.ts';

const WITHOUT_INVENTORY = 24;

/** How often a reconcile is due, in hours: as often as a report is looked for, or once a day where there is no inventory. */
export function reconcileHours({ inventory }: Federation['sources']): number {
  return inventory?.everyHours ?? WITHOUT_INVENTORY;
}
