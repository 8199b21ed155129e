import { mergeAttributes } from './attributes.ts';
import type { BlobEvent, Change, SubtreeGone } from './change.ts';
import type { Attributes, Entry, Provenance, Timestamp } from './entry.ts';

/** `seen` of an entry of which nothing is known but that it must be looked at: before every blob. */
export const NEVER_SEEN: Timestamp = 0;

/** The entry once this event is applied: a tombstone for a delete. What one ETag's other events told is kept. */
export function afterEvent(entry: Entry | undefined, event: BlobEvent, ruleRevision: number): Entry {
  const told = event.effect === 'delete' ? undefined : event.attributes;
  const before = entry?.attributes;
  return {
    container: event.container,
    name: event.name,
    live: told !== undefined,
    attributes: told !== undefined && before?.etag === told.etag ? mergeAttributes(before, told) : told,
    sequencer: event.sequencer,
    epoch: event.epoch,
    seen: event.time,
    look: undefined,
    lookDue: false,
    revision: (entry?.revision ?? 0) + 1,
    provenance: provenanceOf(event, event.time, ruleRevision),
  };
}

/** The state that a look found, with the sequencer of an event that tells the same. What the look covers, it still covers. */
export function afterAdoption(entry: Entry, event: BlobEvent): Entry {
  return { ...entry, sequencer: event.sequencer, epoch: event.epoch, revision: entry.revision + 1 };
}

/**
 * The entry with a look due; where there is none, a tombstone without a clock. Its revision moves, which
 * voids every look that is on its way.
 */
export function afterWish(entry: Entry | undefined, change: Change, ruleRevision: number): Entry {
  if (entry !== undefined) return { ...entry, lookDue: true, revision: entry.revision + 1 };
  return {
    container: change.container,
    name: change.name,
    live: false,
    attributes: undefined,
    sequencer: undefined,
    epoch: undefined,
    seen: NEVER_SEEN,
    look: undefined,
    lookDue: true,
    revision: 1,
    provenance: provenanceOf(change, timeOf(change), ruleRevision),
  };
}

/** The entry in the state that a look found; it keeps its sequencer and its epoch, so that older events stay older. */
export function afterLook(
  entry: Entry | undefined,
  look: Change & { readonly kind: 'look' },
  found: Attributes | undefined,
  lookDue: boolean,
  ruleRevision: number,
): Entry {
  return {
    container: look.container,
    name: look.name,
    live: found !== undefined,
    attributes: found,
    sequencer: entry?.sequencer,
    epoch: entry?.epoch,
    seen: look.time,
    look: look.time,
    lookDue,
    revision: (entry?.revision ?? 0) + 1,
    provenance: provenanceOf(look, look.time, ruleRevision),
  };
}

/** The entry as a look when its directory went would have left it: its clock is kept, so that older events stay older. */
export function afterSubtree(entry: Entry, gone: SubtreeGone, ruleRevision: number): Entry {
  const { time, eventId } = gone;
  return {
    ...entry,
    live: false,
    attributes: undefined,
    seen: time,
    look: time,
    lookDue: false,
    revision: entry.revision + 1,
    provenance: { source: 'trigger', eventId, time, ruleRevision },
  };
}

/** The same version of the blob with more told of it. Its clock does not move. */
export function withAttributes(entry: Entry, attributes: Attributes, change: Change, ruleRevision: number): Entry {
  return {
    ...entry,
    attributes,
    revision: entry.revision + 1,
    provenance: provenanceOf(change, timeOf(change), ruleRevision),
  };
}

function provenanceOf(change: Change, time: Timestamp, ruleRevision: number): Provenance {
  const source = change.kind === 'event' ? change.source : change.kind === 'look' ? 'look' : 'listing';
  return { source, eventId: change.eventId, time, ruleRevision };
}

function timeOf(change: Change): Timestamp {
  return change.kind === 'listed' ? change.from : change.time;
}
