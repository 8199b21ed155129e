import type { Change } from '../../namespace/change.ts';
import type { Attributes, Entry } from '../../namespace/entry.ts';
import { formatKey, type Key } from '../../namespace/key.ts';

/** What must never happen has happened; the message says what, to which key. */
export class Violated extends Error {}

/** The account as it truly is now. */
export interface Truth {
  head(key: Key): Attributes | undefined;
  truth(): ReadonlyMap<string, Attributes>;
}

/**
 * Knows the true time of everything that the index is told, and objects when an entry's state goes back in
 * true time: that is a resurrection where it comes to life, a loss where it dies, a stale version else.
 */
export class Witness {
  readonly #truth: Truth;
  readonly #times = new Map<string, number>();
  readonly #stateOf = new Map<string, number>();
  readonly #tell: ((line: string) => void) | undefined;
  /** While set, whatever is told is old news and must change nothing that a user sees. */
  frozen = false;
  /** While set, clocks lie: entries may go back in true time, as long as they are right in the end. */
  lenient = false;

  constructor(truth: Truth, tell?: (line: string) => void) {
    this.#truth = truth;
    this.#tell = tell;
  }

  learn(eventId: string, trueTime: number): void {
    this.#times.set(eventId, trueTime);
  }

  observe(before: Entry | undefined, next: Entry | undefined, change: Change | undefined): void {
    const key = next ?? before;
    if (key === undefined || next === undefined) return;
    const id = formatKey(key);
    this.#tell?.(`${id}: ${change?.eventId ?? 'sweep'}: ${show(before)} -> ${show(next)}`);
    const changed = !looksTheSame(before, next);
    if (changed && this.frozen) throw new Violated(`${id}: old news changed it: ${show(before)} -> ${show(next)}`);
    if (change === undefined) {
      const now = this.#truth.head(key)?.etag;
      if (changed && now !== undefined && now === before?.attributes?.etag)
        throw new Violated(`${id}: live, but buried`);
      return;
    }
    if (next.lookDue && !changed) return;
    const time = this.#times.get(change.eventId);
    if (time === undefined || change.kind === 'listed') return;
    const known = this.#stateOf.get(id);
    if (this.lenient) {
      this.#stateOf.set(id, time);
      return;
    }
    if (changed && known !== undefined && time < known) {
      const what = next.live && !before?.live ? 'resurrected' : next.live ? 'made stale' : 'removed though live';
      throw new Violated(`${id}: ${what} by ${change.eventId}: ${show(before)} -> ${show(next)}`);
    }
    this.#stateOf.set(id, Math.max(known ?? time, time));
  }

  /** Whether the index's live entries are the account's blobs, by name, ETag, length and tier. */
  compare(live: ReadonlyMap<string, Entry>): void {
    const truth = this.#truth.truth();
    for (const [id, { etag, length, tier }] of truth) {
      const entry = live.get(id);
      if (entry === undefined) throw new Violated(`${id}: live at the source, not in the index`);
      const known = entry.attributes;
      if (known?.etag !== etag || known.length !== length || known.tier !== tier) {
        throw new Violated(`${id}: the source has ${etag} ${length} ${tier}, the index ${show(entry)}`);
      }
    }
    for (const [id, entry] of live) {
      if (!truth.has(id)) throw new Violated(`${id}: gone at the source, the index has ${show(entry)}`);
    }
  }
}

function looksTheSame(before: Entry | undefined, next: Entry): boolean {
  const a = before?.live ? before.attributes : undefined;
  const b = next.live ? next.attributes : undefined;
  return a?.etag === b?.etag && a?.length === b?.length && a?.tier === b?.tier;
}

function show(entry: Entry | undefined): string {
  if (entry === undefined) return 'nothing';
  const { attributes: a, sequencer, epoch, seen, look, lookDue, provenance } = entry;
  const state = entry.live ? `${a?.etag} ${a?.length} ${a?.tier}` : 'tombstone';
  const clock = `${epoch?.slice(-8) ?? '-'}/${sequencer?.slice(-5) ?? '-'} seen ${seen} look ${look ?? '-'}`;
  return `[${state} ${clock}${lookDue ? ' due' : ''} by ${provenance.source} ${provenance.eventId}]`;
}
