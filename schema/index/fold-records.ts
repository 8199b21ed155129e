import type { BlobEvent } from '../../namespace/change.ts';
import type { ContainerState } from '../../namespace/container.ts';
import type { KeyGroup } from '../../namespace/fold.ts';

/** One event that stands for a group, and how many of the group were newer than all before them on arrival. */
export interface Standing {
  readonly winner: BlobEvent;
  readonly newerOnArrival: number;
}

/**
 * The one record that stands for a group where no look can be had: all of one epoch, which is the container's
 * newest, each with a sequencer and values of its own. Undefined: the group is decided one by one.
 */
export function foldRecords(group: KeyGroup, container: ContainerState): Standing | undefined {
  let winner: BlobEvent | undefined;
  let newerOnArrival = 0;
  const etags = new Set<string>();
  for (const event of group.events) {
    const { epoch, sequencer, effect, attributes } = event;
    if (sequencer === undefined || (effect !== 'delete' && attributes === undefined)) return undefined;
    if (epoch !== group.events[0]?.epoch) return undefined;
    if (epoch !== undefined && container.newestEpoch !== undefined && epoch < container.newestEpoch) return undefined;
    if (winner !== undefined && sequencer <= (winner.sequencer ?? '')) continue;
    // Two changes of one ETag tell of one version, and what the first told is kept.
    if (attributes !== undefined) {
      if (etags.has(attributes.etag)) return undefined;
      etags.add(attributes.etag);
    }
    winner = event;
    newerOnArrival++;
  }
  return winner === undefined ? undefined : { winner, newerOnArrival };
}
