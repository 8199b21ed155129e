import type { HydrateInput, HydrateSummary } from '../schema/inputs/activities.ts';
import type { JobInput } from '../schema/inputs/control.ts';
import { steps } from './activities.ts';
import { Control } from './control.ts';

export type HydrateJob = JobInput & HydrateInput;

/** Brings the bytes of every live blob under a prefix to its sink. Asked for twice, it fetches once. */
export async function hydrate(job: HydrateJob): Promise<HydrateSummary> {
  const { federation, ...input } = job;
  const control = new Control({ federation, source: 'hydrate', title: 'Hydrate' });
  const summary = await control.attempt(
    'fetching bytes',
    () => steps.hydrateFiles.executeWithOptions({ summary: 'fetch, check, replace the stub' }, [input]),
    { giveUp: true },
  );
  const { files, already, bytes, failed } = summary;
  control.count({ files, already, bytes, failed });
  control.done(`${files} fetched, ${already} there already, ${failed} failed`);
  return summary;
}
