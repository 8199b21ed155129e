import type { BlobEvent, Change, ListedRow, LookAnswer, SubtreeGone } from '../../../namespace/change.ts';
import type { ContainerState } from '../../../namespace/container.ts';
import { decide } from '../../../namespace/decide.ts';
import { decideSubtree, directoriesOf, underGoneDirectory } from '../../../namespace/decide-subtree.ts';
import type { Decision } from '../../../namespace/decision.ts';
import type { Entry } from '../../../namespace/entry.ts';
import { compareKeys, compareUtf8, formatKey, type Key } from '../../../namespace/key.ts';
import type { Rule } from '../../../namespace/rule.ts';
import { isDistrusted } from '../../../namespace/trust.ts';

const UNKNOWN: ContainerState = { newestEpoch: undefined, goneAt: undefined };
const MARGIN = 20_000;

/** The index as a map: every change decided one by one, in the order in which it comes. */
export class IndexModel {
  readonly entries = new Map<string, Entry>();
  readonly containers = new Map<string, ContainerState>();
  readonly looks = new Map<string, string>();
  readonly directories: SubtreeGone[] = [];
  horizon: number | undefined;
  triggersTrusted = true;
  readonly #rule: (key: Key) => Rule | undefined;
  readonly #withLooks: boolean;

  constructor(rule: (key: Key) => Rule | undefined, withLooks: boolean) {
    this.#rule = rule;
    this.#withLooks = withLooks;
  }

  container(name: string): ContainerState {
    return this.containers.get(name) ?? UNKNOWN;
  }

  event(event: BlobEvent): Decision {
    if (this.#rule(event)?.authority === 'blob' && !isDistrusted(event, this)) {
      const state = this.container(event.container);
      const { epoch } = event;
      const rises = epoch !== undefined && epoch > (state.newestEpoch ?? '');
      this.containers.set(event.container, rises ? { ...state, newestEpoch: epoch } : state);
    }
    return this.#decide(event, this.#gone(event));
  }

  look(answer: LookAnswer): Decision {
    this.containers.set(answer.container, this.container(answer.container));
    return this.#decide(answer);
  }

  listed(row: ListedRow, strong: boolean): Decision {
    this.containers.set(row.container, this.container(row.container));
    const known = this.entries.get(formatKey(row));
    return this.#decide(
      strong && known === undefined ? { ...row, kind: 'look', time: row.from, entryRevision: 0 } : row,
      this.#gone(row),
    );
  }

  gone(container: string, at: number): void {
    const state = this.container(container);
    this.containers.set(container, { ...state, goneAt: Math.max(state.goneAt ?? at, at) });
  }

  /** Goes through the next entries below a directory that went. @returns what was decided of each that is live or waits for a look. */
  work(gone: SubtreeGone, after: string, limit: number) {
    const below = this.sorted().filter(
      ({ container, name }) => container === gone.container && name.startsWith(`${gone.directory}/`),
    );
    const window = below.filter(({ name }) => after === '' || compareUtf8(name, after) > 0).slice(0, limit);
    const decisions = window
      .filter((entry) => entry.live || entry.lookDue)
      .map((entry) => {
        const policy = { margin: MARGIN, horizon: this.horizon };
        const decision = decideSubtree(entry, gone, this.container(entry.container), this.#rule(entry), policy, 1);
        this.#take(entry, decision);
        return decision;
      });
    return { decisions, last: window.at(-1)?.name ?? after, done: window.length < limit };
  }

  sorted(): readonly Entry[] {
    return [...this.entries.values()].toSorted(compareKeys);
  }

  queued(): readonly string[] {
    return [...this.looks].map(([key, reason]) => `${key} ${reason}`).toSorted(compareUtf8);
  }

  #gone(key: Key): number | undefined {
    if (!this.#withLooks) return undefined;
    const above = directoriesOf(key.name);
    const over = this.directories.filter((each) => each.container === key.container && above.includes(each.directory));
    return over.length === 0 ? undefined : Math.max(...over.map(({ time }) => time));
  }

  #decide(change: Change, goneAt?: number): Decision {
    const key = formatKey(change);
    const policy = {
      margin: MARGIN,
      horizon: this.horizon,
      looks: this.#withLooks,
      triggersTrusted: this.triggersTrusted,
    };
    const decision = decide(
      this.entries.get(key),
      change,
      underGoneDirectory(this.container(change.container), goneAt),
      this.#rule(change),
      policy,
      1,
    );
    this.#take(change, decision);
    return decision;
  }

  #take(of: Key, decision: Decision): void {
    const key = formatKey(of);
    if (decision.outcome === 'apply' || decision.outcome === 'look') {
      this.entries.set(key, decision.next);
      if (decision.outcome === 'look') this.looks.set(key, decision.reason);
      else if (!decision.next.lookDue) this.looks.delete(key);
    }
  }
}
