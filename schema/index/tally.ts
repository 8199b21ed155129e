import type { BlobEvent } from '../../namespace/change.ts';
import type { Decision } from '../../namespace/decision.ts';
import type { Entry } from '../../namespace/entry.ts';
import { compareSources } from '../../namespace/trust.ts';
import type { ClockMismatch } from './trigger-trust.ts';

/**
 * What became of a page, exactly: `applied + superseded + Σ ignored = records`. A record is applied where it
 * was newer than everything before it for its key (a wanted look counts as applied), superseded where its
 * clock is equal or lower. Violations are in `ignored` as `vast-has-authority`.
 */
export interface PageCounts {
  readonly records: number;
  readonly applied: number;
  readonly superseded: number;
  readonly ignored: Readonly<Record<string, number>>;
  /** How many of the applied are wanted looks. */
  readonly looks: number;
  readonly violations: number;
  /**
   * Changes that trigger and feed both told of, with the same sequencer and with two. Of several records of one
   * key, those that one winner stands for may not be compared.
   */
  readonly agreed: number;
  readonly mismatched: number;
  /** Up to three of the mismatched. */
  readonly mismatches: readonly ClockMismatch[];
}

const MOST_SAMPLES = 3;

/** Counts what becomes of the records of one page. */
export class Tally {
  applied = 0;
  superseded = 0;
  looks = 0;
  violations = 0;
  agreed = 0;
  mismatched = 0;
  readonly mismatches: ClockMismatch[] = [];
  readonly #ignored = new Map<string, number>();

  ignore(reason: string, records: number): void {
    this.#ignored.set(reason, (this.#ignored.get(reason) ?? 0) + records);
  }

  /** Holds an event against the entry that it met. Of a dead incarnation nothing is asked, here as in set-based statements. */
  compare(entry: Entry | undefined, event: BlobEvent, decision: Decision): void {
    if (entry === undefined || (decision.outcome === 'ignore' && decision.reason === 'dead-epoch')) return;
    const accord = compareSources(entry, event);
    if (accord === undefined) return;
    this[accord]++;
    if (accord === 'mismatched' && this.mismatches.length < MOST_SAMPLES) {
      this.mismatches.push(mismatchOf(entry, event));
    }
  }

  decision(decision: Decision): void {
    switch (decision.outcome) {
      case 'apply':
        this.applied++;
        break;
      case 'look':
        this.applied++;
        this.looks++;
        break;
      case 'refuse':
        this.violations++;
        this.ignore(decision.reason, 1);
        break;
      case 'ignore':
        if (decision.reason === 'superseded') this.superseded++;
        else this.ignore(decision.reason, 1);
        break;
    }
  }

  counts(records: number): PageCounts {
    const { applied, superseded, looks, violations, agreed, mismatched, mismatches } = this;
    const ignored = Object.fromEntries(this.#ignored);
    return { records, applied, superseded, ignored, looks, violations, agreed, mismatched, mismatches };
  }
}

function mismatchOf(entry: Entry, event: BlobEvent): ClockMismatch {
  const { container, name } = event;
  const before = { eventId: entry.provenance.eventId, sequencer: entry.sequencer };
  const now = { eventId: event.eventId, sequencer: event.sequencer };
  const [trigger, feed] = event.source === 'trigger' ? [now, before] : [before, now];
  return { container, name, trigger, feed };
}
