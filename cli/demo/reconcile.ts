import type { ReconcileOutput } from '../../schema/outputs/reconcile.ts';
import { isthmus } from './isthmus.ts';
import type { Figures, Story } from './story.ts';

/** Has the whole account judged. @returns how much was listed, looked at, and found to be missing. */
export async function reconcileBy(story: Story, judge: 'listing' | 'inventory'): Promise<Figures> {
  const { listed, looks, missing } = await isthmus<ReconcileOutput>(story, ['reconcile', '--judge', judge]);
  return { listed, looks, missing };
}
