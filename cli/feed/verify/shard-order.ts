import { DRIFT_MS } from '../../../activities/azure/feed-find.ts';
import type { Timestamp } from '../../../namespace/entry.ts';
import { compareSequencers, parseSequencer, type Sequencer } from '../../../namespace/sequencer.ts';
import type { Position } from '../dump/record-json.ts';
import type { Disorder } from './finding.ts';
import { RecentIds } from './recent-ids.ts';

/** What is checked of a record, in whatever schema: every field may be absent or of another type. */
interface Loose {
  readonly id?: unknown;
  readonly eventTime?: unknown;
  readonly data?: unknown;
  readonly sequencer?: unknown;
}

/**
 * What holds of the records of one shard of one segment in every recording: sequencers rise, no id comes twice in a
 * chunk, and no record is much older than its segment, which is what a reading by time relies on.
 */
export class ShardOrder {
  readonly #begin: Timestamp;
  readonly #ids = new RecentIds();
  #last: Sequencer | undefined;

  constructor(segmentBegin: Timestamp) {
    this.#begin = segmentBegin;
  }

  beginChunk(): void {
    this.#ids.clear();
  }

  check(record: unknown, position: Position): readonly Disorder[] {
    const { id, eventTime, data } = loose(record);
    const wrong: string[] = [];
    const printed = loose(data).sequencer;
    const sequencer = typeof printed === 'string' ? parseSequencer(printed) : undefined;
    if (sequencer === undefined) wrong.push('it has no readable sequencer');
    else {
      if (this.#last !== undefined && compareSequencers(sequencer, this.#last) <= 0) {
        wrong.push(`its sequencer ${sequencer} does not rise above ${this.#last} before it`);
      }
      this.#last = sequencer;
    }
    if (typeof id === 'string' && id !== '' && this.#ids.add(id))
      wrong.push(`its id ${id} stands in the chunk already`);
    const time = typeof eventTime === 'string' ? Date.parse(eventTime) : Number.NaN;
    if (Number.isNaN(time)) wrong.push('it has no readable eventTime');
    else if (time < this.#begin - DRIFT_MS) wrong.push(`its time ${String(eventTime)} is long before its segment`);
    return wrong.map((what) => ({ kind: 'disorder', ...position, what }));
  }
}

function loose(value: unknown): Loose {
  return typeof value === 'object' && value !== null ? value : {};
}
