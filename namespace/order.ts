import type { BlobEvent } from './change.ts';
import type { Entry } from './entry.ts';
import type { Epoch } from './epoch.ts';

/** Orders two epochs; 0 as well where either side has none: the epoch then decides nothing. */
export function compareEpochs(a: Epoch | undefined, b: Epoch | undefined): -1 | 0 | 1 {
  if (a === undefined || b === undefined || a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * Where the event stands against the entry's clock (rule 1): the epoch decides where both have one and they
 * differ, else the sequencer. An entry or an event without a sequencer counts as older than one with.
 */
export function compareClocks(event: BlobEvent, entry: Entry): -1 | 0 | 1 {
  const byEpoch = compareEpochs(event.epoch, entry.epoch);
  if (byEpoch !== 0) return byEpoch;
  if (event.sequencer === entry.sequencer) return 0;
  if (entry.sequencer === undefined) return 1;
  return event.sequencer !== undefined && event.sequencer > entry.sequencer ? 1 : -1;
}
