import type { ContainerState } from './container.ts';
import type { Entry, Timestamp } from './entry.ts';
import { type Epoch, epochTime } from './epoch.ts';

/** Half of the 30 s for which Azure refuses the name of a deleted container: what tells two incarnations apart by time. */
export const INCARNATION_SLACK = 15_000;

/** What is known of the incarnation that an event or an entry belongs to. */
export interface IncarnationClock {
  readonly epoch?: Epoch | undefined;
  /** The event's time, or the look's. */
  readonly seen: Timestamp;
  /** A look made this state: whatever epoch is kept beside it says nothing of it. */
  readonly fromLook: boolean;
}

/** `unsure`: too close to the container's own 404 to tell; a look must. */
export type Life = 'alive' | 'dead' | 'unsure';

/**
 * Whether the container's incarnation that this clock belongs to is gone (rule 3 of the clock). Derived each
 * time from what is known of the container by now, never stored: what is dead stays dead, since `newestEpoch`
 * and `goneAt` only rise.
 */
export function isDead(clock: IncarnationClock, container: ContainerState, margin: number): Life {
  return judgeIncarnation(clock.epoch, clock.seen, clock.fromLook, container, margin);
}

/** `isDead` without an object to carry the clock. */
export function judgeIncarnation(
  epoch: Epoch | undefined,
  seen: Timestamp,
  fromLook: boolean,
  container: ContainerState,
  margin: number,
): Life {
  const { newestEpoch, goneAt } = container;
  const known = fromLook ? undefined : epoch;
  if (newestEpoch !== undefined) {
    if (known === undefined ? seen < epochTime(newestEpoch) - INCARNATION_SLACK : known < newestEpoch) return 'dead';
  }
  if (goneAt !== undefined && seen <= goneAt + margin && !(known !== undefined && epochTime(known) > goneAt)) {
    return seen < goneAt - margin ? 'dead' : 'unsure';
  }
  return 'alive';
}

/** What has become of the incarnation in which this entry got its state. Says nothing of whether the entry is a tombstone. */
export function lifeOf(entry: Entry, container: ContainerState, margin: number): Life {
  return judgeIncarnation(entry.epoch, entry.seen, entry.look !== undefined, container, margin);
}

/**
 * Whether the entry's blob exists, as far as is known: not a tombstone, and of no dead incarnation. An entry
 * that is `unsure` counts as live until the look that its sweep wants has answered.
 */
export function isLive(entry: Entry, container: ContainerState, margin: number): boolean {
  return entry.live && lifeOf(entry, container, margin) !== 'dead';
}
