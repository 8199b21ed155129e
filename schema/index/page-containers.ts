import type { BlobEvent } from '../../namespace/change.ts';
import type { ContainerState } from '../../namespace/container.ts';
import { underGoneDirectory } from '../../namespace/decide-subtree.ts';
import type { Epoch } from '../../namespace/epoch.ts';
import type { Key } from '../../namespace/key.ts';
import { assert } from '../errors.ts';
import { type ContainerRow, containerStates, ensureContainers, noteEpochs } from './containers.ts';
import type { Tx } from './database.ts';
import type { GoneDirectories } from './gone-directories.ts';

/** The containers of a page of events, as they are with every epoch that the page tells of. */
export interface PageContainers {
  of(container: string): ContainerRow;
  /** The container as it is to this name: without what went with a directory. */
  over(key: Key): ContainerState;
  /**
   * What `over` says, as it was known when this event arrived, its own epoch included: an epoch that a later event
   * of the same page tells does not make this one dead, so that counts do not depend on where pages are cut.
   */
  at(event: BlobEvent): ContainerState;
}

/** Notes the page's epochs (before anything is decided) and makes the containers that are missing. */
export async function noteContainers(
  tx: Tx,
  accountId: number,
  events: readonly BlobEvent[],
  gone: GoneDirectories,
): Promise<PageContainers> {
  const names = new Set<string>();
  const newest = new Map<string, Epoch>();
  for (const { container, epoch } of events) {
    names.add(container);
    if (epoch !== undefined && epoch > (newest.get(container) ?? '')) newest.set(container, epoch);
  }
  const before = await containerStates(tx, accountId, [...names]);
  const rising = new Map(
    [...newest].filter(([name, epoch]) => {
      const known = before.get(name)?.newestEpoch;
      return known === undefined || known < epoch;
    }),
  );
  await noteEpochs(tx, accountId, rising);
  const now =
    rising.size === 0 && before.size === names.size ? before : await ensureContainers(tx, accountId, [...names]);
  const early = statesOnArrival(events, before, rising);
  const of = (container: string): ContainerRow => {
    const row = now.get(container);
    assert(row !== undefined, `Container ${container} was made and is not there`);
    return row;
  };
  return {
    of,
    over: (key) => underGoneDirectory(of(key.container), gone(key)),
    at: (event) => underGoneDirectory(early.get(event) ?? of(event.container), gone(event)),
  };
}

/** For events that arrived before their container's newest epoch of this page: what was known by then. */
function statesOnArrival(
  events: readonly BlobEvent[],
  before: ReadonlyMap<string, ContainerRow>,
  rising: ReadonlyMap<string, Epoch>,
): ReadonlyMap<BlobEvent, ContainerState> {
  const states = new Map<BlobEvent, ContainerState>();
  if (rising.size === 0) return states;
  const known = new Map<string, Epoch>();
  for (const event of events) {
    const final = rising.get(event.container);
    if (final === undefined) continue;
    const row = before.get(event.container);
    const newest = known.get(event.container) ?? row?.newestEpoch;
    const now = event.epoch !== undefined && event.epoch > (newest ?? '') ? event.epoch : newest;
    if (now !== undefined) known.set(event.container, now);
    if (now !== final) states.set(event, { newestEpoch: now, goneAt: row?.goneAt });
  }
  return states;
}
