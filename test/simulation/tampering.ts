import type { BlobEvent, Change, SubtreeGone } from '../../namespace/change.ts';
import type { ContainerState } from '../../namespace/container.ts';
import type { ClockPolicy, Decision } from '../../namespace/decision.ts';
import type { Entry } from '../../namespace/entry.ts';
import type { EventRule } from '../../namespace/event-rules.ts';

/** Where a rule of the clock is taken out of an index. Nothing set: the rules as they are. */
export interface Tampering {
  readonly name: string;
  /** The name of the world in which it shows soonest, where it needs a special one. */
  readonly world?: string;
  /** Instead of all rules for events. */
  readonly eventRules?: readonly EventRule[];
  readonly event?: (event: BlobEvent, container: ContainerState) => BlobEvent;
  readonly container?: (state: ContainerState) => ContainerState;
  readonly policy?: (policy: ClockPolicy) => ClockPolicy;
  readonly decision?: (decision: Decision, entry: Entry | undefined, change: Change) => Decision | undefined;
  /** Entries that are not kept. */
  readonly forgets?: (entry: Entry) => boolean;
  readonly unfencedLooks?: boolean;
  readonly absenceDeletes?: boolean;
  /** Once triggers are distrusted they are not applied, and that is all: their clocks rule on. */
  readonly keepsTriggerClocks?: boolean;
  /** Once triggers are distrusted, the feed is not read again. */
  readonly noRereading?: boolean;
  readonly subtree?: (decision: Decision, entry: Entry, gone: SubtreeGone) => Decision | undefined;
  /** Nothing is known of a directory once it is worked off. */
  readonly forgetsDirectories?: boolean;
  /** A directory that went is not listed, by either of its names. */
  readonly listsNoDirectories?: boolean;
  /** What is close to a container's own 404 is taken for alive. */
  readonly trustsNearGone?: boolean;
}

export const UNTOUCHED: Tampering = { name: 'the rules as they are' };
