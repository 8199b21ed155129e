import type { BlobEvent, Change, ListedRow, LookAnswer } from '../../../namespace/change.ts';
import type { ContainerState } from '../../../namespace/container.ts';
import { decide } from '../../../namespace/decide.ts';
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
    return this.#decide(event);
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
    );
  }

  gone(container: string, at: number): void {
    const state = this.container(container);
    this.containers.set(container, { ...state, goneAt: Math.max(state.goneAt ?? at, at) });
  }

  sorted(): readonly Entry[] {
    return [...this.entries.values()].toSorted(compareKeys);
  }

  queued(): readonly string[] {
    return [...this.looks].map(([key, reason]) => `${key} ${reason}`).toSorted(compareUtf8);
  }

  #decide(change: Change): Decision {
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
      this.container(change.container),
      this.#rule(change),
      policy,
      1,
    );
    if (decision.outcome === 'apply' || decision.outcome === 'look') {
      this.entries.set(key, decision.next);
      if (decision.outcome === 'look') this.looks.set(key, decision.reason);
      else if (!decision.next.lookDue) this.looks.delete(key);
    }
    return decision;
  }
}
