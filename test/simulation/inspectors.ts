import type { Attributes, Entry } from '../../namespace/entry.ts';
import { formatKey, type Key } from '../../namespace/key.ts';
import type { SimulatedAccount } from './account.ts';
import type { IndexDouble } from './index-double.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';
import type { Witness } from './witness.ts';

const SECOND = 1_000;

/** What asks the account rather than listens to it: looks, inventories, listings, checks of containers. Each takes time, in which the account goes on. */
export class Inspectors {
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #account: SimulatedAccount;
  readonly #index: IndexDouble;
  readonly #witness: Witness;
  /** Every name that a container may have. */
  readonly #names: readonly string[];
  #asked = 0;
  #looking = false;

  constructor(
    timeline: Timeline,
    random: Random,
    account: SimulatedAccount,
    index: IndexDouble,
    witness: Witness,
    names: readonly string[],
  ) {
    this.#names = names;
    this.#timeline = timeline;
    this.#random = random;
    this.#account = account;
    this.#index = index;
    this.#witness = witness;
  }

  /** Answers, soon, every look that is due. */
  wakeLooks(): void {
    if (this.#looking || this.#index.due().length === 0) return;
    this.#looking = true;
    this.#timeline.after(this.#random.between(100, this.#random.chance(0.8) ? 3 * SECOND : 60 * SECOND), () => {
      this.#looking = false;
      for (const entry of this.#index.due()) this.#look(entry);
      this.#timeline.after(5 * SECOND, () => this.wakeLooks());
    });
  }

  /** Reads the entry, then asks, then commits: three moments between which anything may happen. */
  #look(key: Key): void {
    const { container, name } = key;
    const eventId = this.#id('look');
    const entryRevision = this.#index.revisionOf(key);
    this.#timeline.after(this.#delay(), () => {
      const found = this.#account.head({ container, name });
      const time = this.#account.reportedNow();
      const gone = !this.#account.containerExists(container);
      this.#witness.learn(eventId, this.#timeline.now);
      this.#timeline.after(this.#delay(), () => {
        if (gone) this.#index.noteContainerGone(container, time);
        this.#index.applyLook({ kind: 'look', container, name, found, time, entryRevision, eventId });
        this.wakeLooks();
      });
    });
  }

  /** Every blob is read at some moment between the start and the completion; the report comes later still. */
  inventory(takes: number): void {
    const from = this.#account.reportedNow();
    const rows = new Map<string, Key & { readonly found: Attributes }>();
    for (const container of this.#account.containerNames) {
      for (const name of this.#names) {
        this.#timeline.after(this.#random.between(0, takes), () => {
          const found = this.#account.head({ container, name });
          if (found !== undefined) rows.set(formatKey({ container, name }), { container, name, found });
        });
      }
    }
    this.#timeline.after(takes, () => {
      const to = this.#account.reportedNow();
      this.#timeline.after(this.#random.between(0, 600 * SECOND), () => this.#judge(rows, from, to));
    });
  }

  #judge(rows: ReadonlyMap<string, Key & { readonly found: Attributes }>, from: number, to: number): void {
    const eventId = this.#id('inventory');
    for (const row of rows.values()) this.#index.applyListed({ kind: 'listed', ...row, from, to, eventId }, false);
    const absent = (entry: Entry) => !rows.has(formatKey(entry));
    const missing = this.#index.liveBefore(from - this.#index.margin).filter(absent);
    this.wakeLooks();
    this.#timeline.after(this.#random.between(0, 60 * SECOND), () => {
      for (const entry of missing) this.#index.applyAbsence(entry);
      this.#index.raiseHorizon(from);
      this.wakeLooks();
    });
  }

  /** List Blobs, container by container, into an index that may hear events meanwhile. */
  bootstrap(): void {
    this.#index.raiseHorizon(this.#account.reportedNow());
    for (const container of this.#account.containerNames) {
      this.#timeline.after(this.#random.between(0, 60 * SECOND), () => {
        const time = this.#account.reportedNow();
        const eventId = this.#id('listing');
        this.#witness.learn(eventId, this.#timeline.now);
        const prefix = formatKey({ container, name: '' });
        const blobs = [...this.#account.truth()].filter(([id]) => id.startsWith(prefix));
        this.#timeline.after(this.#random.between(0, 30 * SECOND), () => {
          for (const [id, found] of blobs) {
            const name = id.slice(prefix.length);
            this.#index.applyListed({ kind: 'listed', container, name, found, from: time, to: time, eventId }, true);
          }
          this.wakeLooks();
        });
      });
    }
  }

  /** List Blobs below one prefix, judged as a reconcile does: what it lacks is looked at. */
  list(container: string, prefix: string): void {
    const from = this.#account.reportedNow();
    const eventId = this.#id('prefix');
    this.#timeline.after(this.#delay(), () => {
      const time = this.#account.reportedNow();
      this.#witness.learn(eventId, this.#timeline.now);
      const start = formatKey({ container, name: prefix });
      const blobs = new Map([...this.#account.truth()].filter(([id]) => id.startsWith(start)));
      this.#timeline.after(this.#delay(), () => {
        for (const [id, found] of blobs) {
          const name = id.slice(container.length + 1);
          this.#index.applyListed({ kind: 'listed', container, name, found, from: time, to: time, eventId }, true);
        }
        const missing = this.#index
          .liveBefore(from - this.#index.margin)
          .filter((entry) => formatKey(entry).startsWith(start) && !blobs.has(formatKey(entry)));
        for (const entry of missing) this.#index.applyAbsence(entry);
        this.wakeLooks();
      });
    });
  }

  /** List Containers, and a HEAD of every container that it lacks. */
  checkContainers(): void {
    for (const container of this.#index.containerNames) {
      this.#timeline.after(this.#random.between(0, 5 * SECOND), () => {
        if (this.#account.containerExists(container)) return;
        const time = this.#account.reportedNow();
        this.#timeline.after(this.#delay(), () => {
          this.#index.noteContainerGone(container, time);
          this.#timeline.after(this.#random.between(0, 60 * SECOND), () => {
            this.#index.sweep();
            this.wakeLooks();
          });
        });
      });
    }
  }

  #delay(): number {
    return this.#random.between(0, this.#random.chance(0.8) ? 2 * SECOND : 90 * SECOND);
  }

  #id(what: string): string {
    return `${what}${++this.#asked}`;
  }
}
