import type { BlobEvent } from './change.ts';
import type { ClockPolicy } from './decision.ts';
import type { Entry } from './entry.ts';

/**
 * Characters of an event's id that are its request's. What follows differs: Event Grid and the feed each end the
 * id in their own way (`06xxxx` for `000000`).
 */
export const REQUEST_CHARACTERS = 30;

/** Whether two events are of one request to the account, and so, of one key, the same change. */
export function isSameRequest(eventId: string, other: string): boolean {
  return eventId.slice(0, REQUEST_CHARACTERS) === other.slice(0, REQUEST_CHARACTERS);
}

/** What trigger and feed say of one change: the same sequencer, or two. */
export type Accord = 'agreed' | 'mismatched';

/**
 * Holds an event against the entry that the other of trigger and feed has made of the same change. That both print
 * one sequencer is what all ordering between them rests on, and is documented nowhere.
 *
 * @returns undefined where there is nothing to compare.
 */
export function compareSources(entry: Entry | undefined, event: BlobEvent): Accord | undefined {
  if (entry?.sequencer === undefined || event.sequencer === undefined) return undefined;
  const { source, eventId } = entry.provenance;
  const other = event.source === 'trigger' ? isFeed(source) : source === 'trigger';
  if (!other || event.effect !== (entry.live ? 'put' : 'delete') || !isSameRequest(eventId, event.eventId)) {
    return undefined;
  }
  return event.sequencer === entry.sequencer ? 'agreed' : 'mismatched';
}

/** Whether the event is a trigger of an account whose triggers are not applied. */
export function isDistrusted(event: BlobEvent, policy: Pick<ClockPolicy, 'triggersTrusted'>): boolean {
  return policy.triggersTrusted === false && event.source === 'trigger';
}

/**
 * The entry as far as it can be believed where the sequencers of triggers cannot. What the feed made stands as it
 * is. Of any other, the sequencer may be a trigger's and counts as none, and what a trigger told is worth a look
 * at the time of its event: nothing of the feed that is plainly older undoes it, whatever is plainly newer is
 * applied, and near it the blob itself is asked.
 */
export function believable(entry: Entry, policy: Pick<ClockPolicy, 'triggersTrusted'>): Entry {
  if (policy.triggersTrusted !== false || isFeed(entry.provenance.source)) return entry;
  return { ...entry, sequencer: undefined, look: entry.look ?? entry.seen };
}

function isFeed(source: Entry['provenance']['source']): boolean {
  return source === 'feed' || source === 'replay';
}
