import type { PurgeSummary } from '../schema/inputs/activities.ts';
import type { JobInput } from '../schema/inputs/control.ts';
import { steps } from './activities.ts';
import { Control } from './control.ts';

/** Purges tombstones, journal and finished runs that are past their retention, in small batches. */
export async function maintenance({ federation }: JobInput): Promise<PurgeSummary> {
  const control = new Control({ federation, source: 'maintenance', title: 'Maintenance' });
  const purged = await control.attempt('purging what is past its retention', () =>
    steps.purgeRetention.executeWithOptions({ summary: 'purge past retention' }, []),
  );
  control.count({ ...purged });
  control.done(`${purged.tombstones} tombstones, ${purged.journal} journal lines, ${purged.runs} runs purged`);
  return purged;
}
