import type { ContainerState } from '../../namespace/container.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import { epochTime } from '../../namespace/epoch.ts';
import { INCARNATION_SLACK } from '../../namespace/liveness.ts';
import type { Incarnation } from './cause-of.ts';

/** What became of the container that a live entry was of, by what is known of the container now. */
export function incarnationOf(
  entry: { readonly live: boolean; readonly seen: Timestamp } | undefined,
  { newestEpoch, goneAt }: ContainerState,
  margin: number,
): Incarnation {
  if (entry?.live !== true) return 'same';
  if (newestEpoch !== undefined && entry.seen < epochTime(newestEpoch) - INCARNATION_SLACK) return 'recreated';
  return goneAt !== undefined && entry.seen < goneAt - margin ? 'gone' : 'same';
}
