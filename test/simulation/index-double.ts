import type { BlobEvent, Change, ListedRow, LookAnswer, SubtreeGone } from '../../namespace/change.ts';
import type { ContainerState } from '../../namespace/container.ts';
import { decide } from '../../namespace/decide.ts';
import { decideEvent } from '../../namespace/decide-event.ts';
import { decideSubtree, directoriesOf, underGoneDirectory } from '../../namespace/decide-subtree.ts';
import { type ClockPolicy, DEFAULT_MARGIN, type Decision } from '../../namespace/decision.ts';
import type { Entry, Timestamp } from '../../namespace/entry.ts';
import { foldPage, isPlain, isRoutine, meet } from '../../namespace/fold.ts';
import { formatKey, type Key } from '../../namespace/key.ts';
import { isLive, lifeOf } from '../../namespace/liveness.ts';
import { afterEvent } from '../../namespace/next-entry.ts';
import type { Rule } from '../../namespace/rule.ts';
import { believable, compareSources, isDistrusted } from '../../namespace/trust.ts';
import type { Tampering } from './tampering.ts';

const RULE: Rule = { prefix: '', authority: 'blob', sink: 'vast' };
const RULE_REVISION = 1;
const UNKNOWN: ContainerState = { newestEpoch: undefined, goneAt: undefined };

/** Told of every entry that is written, before it is: the place to object. `change` is undefined for a sweep. */
export type Observer = (before: Entry | undefined, next: Entry | undefined, change: Change | undefined) => void;

/** The index as its contract has it, in memory: pages, looks, listings, sweeps and purges, each one transaction. */
export class IndexDouble {
  readonly #entries = new Map<string, Entry>();
  readonly #containers = new Map<string, ContainerState>();
  /** Directories that went, by their event's id. */
  readonly #directories = new Map<string, SubtreeGone>();
  readonly #tampering: Tampering;
  readonly #observe: Observer;
  #horizon: Timestamp | undefined;
  #triggersTrusted = true;
  /** Looks wanted so far. */
  wanted = 0;
  /** Entries written so far. */
  written = 0;
  /** Changes that trigger and feed told with the same sequencer, and with two. */
  readonly accords = { agreed: 0, mismatched: 0 };

  constructor(tampering: Tampering, observe: Observer) {
    this.#tampering = tampering;
    this.#observe = observe;
  }

  get margin(): number {
    return this.#policy.margin;
  }

  get containerNames(): readonly string[] {
    return [...this.#containers.keys()];
  }

  revisionOf(key: Key): number {
    return this.#entries.get(formatKey(key))?.revision ?? 0;
  }

  entry(key: Key): Entry | undefined {
    return this.#entries.get(formatKey(key));
  }

  /** Every entry that is live by now, by `container/name`. */
  live(): Map<string, Entry> {
    const live = new Map<string, Entry>();
    for (const [id, entry] of this.#entries) {
      if (isLive(entry, this.#container(entry.container), this.margin)) live.set(id, entry);
    }
    return live;
  }

  due(): readonly Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.lookDue);
  }

  /** Live entries that got their state before `before`: those whose absence from a listing that began later means something. */
  liveBefore(before: Timestamp): readonly Entry[] {
    return [...this.live().values()].filter((entry) => entry.seen < before);
  }

  /** A page, folded and applied as the set-based statement does, or event by event. */
  applyEvents(page: readonly BlobEvent[], folded: boolean): void {
    const events = page
      .filter((event) => !isDistrusted(event, this))
      .map((event) => this.#tampering.event?.(event, this.#container(event.container)) ?? event);
    for (const event of events) this.#noteEpoch(event);
    if (!folded || this.#tampering.eventRules !== undefined) {
      for (const event of events) this.#apply(event);
      return;
    }
    for (const group of foldPage(events)) {
      const entry = this.entry(group);
      const plain = entry === undefined || (isPlain(entry) && believable(entry, this.#policy) === entry);
      const routine = plain && isRoutine(group, this.#over(group), this.#policy);
      const outcome = routine ? meet(group, entry, this.margin) : 'odd';
      if (outcome !== 'odd') for (const event of group.events) this.#compare(entry, event);
      if (outcome === 'apply' && group.winner !== undefined) {
        this.#write(entry, afterEvent(entry, group.winner, RULE_REVISION), group.winner);
      } else if (outcome === 'odd') {
        for (const event of group.events) this.#apply(event);
      }
    }
  }

  /** From here on no trigger is applied, and the feed outranks what triggers have set. */
  distrustTriggers(): void {
    this.#triggersTrusted = false;
  }

  get triggersTrusted(): boolean {
    return this.#triggersTrusted;
  }

  applyLook(answer: LookAnswer): void {
    const fenced = this.#tampering.unfencedLooks ? { ...answer, entryRevision: this.revisionOf(answer) } : answer;
    this.#apply(fenced);
  }

  applyListed(row: ListedRow, strong: boolean): void {
    const insert = strong && this.entry(row) === undefined;
    const over = this.#over(row);
    this.#apply(insert ? { ...row, kind: 'look', time: row.from, entryRevision: 0 } : row, over);
  }

  /** A look for a name that a complete listing lacked. */
  applyAbsence(entry: Entry): void {
    const now = this.entry(entry);
    if (now?.revision !== entry.revision) return;
    if (this.#tampering.absenceDeletes) {
      this.#write(now, { ...now, live: false, attributes: undefined, revision: now.revision + 1 }, undefined);
    } else this.#want(now);
  }

  /** Takes a directory that went as work. @returns false where it is known. */
  noteSubtree(gone: SubtreeGone): boolean {
    if (this.#directories.has(gone.eventId)) return false;
    this.#directories.set(gone.eventId, gone);
    return true;
  }

  /** Goes through the next entries below a directory, in key order. @returns where to go on; undefined where it is done. */
  workSubtree(gone: SubtreeGone, after: string, limit: number): string | undefined {
    const below = [...this.#entries.values()]
      .filter(({ container, name }) => container === gone.container && name.startsWith(`${gone.directory}/`))
      .filter(({ name }) => name > after)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .slice(0, limit);
    for (const entry of below) {
      if (!entry.live && !entry.lookDue) continue;
      const decided = decideSubtree(entry, gone, this.#container(entry.container), RULE, this.#policy, RULE_REVISION);
      const decision = this.#tampering.subtree?.(decided, entry, gone) ?? decided;
      if (decision.outcome === 'look') this.wanted++;
      if (decision.outcome === 'apply' || decision.outcome === 'look') {
        this.#write(entry, decision.next, asEvent(entry, gone));
      }
    }
    return below.length < limit ? undefined : below.at(-1)?.name;
  }

  noteContainerGone(container: string, at: Timestamp): void {
    const state = this.#containers.get(container) ?? UNKNOWN;
    this.#containers.set(container, { ...state, goneAt: Math.max(state.goneAt ?? at, at) });
  }

  /** Buries what is dead and wants looks for what may be. */
  sweep(): void {
    for (const entry of [...this.#entries.values()]) {
      if (!entry.live) continue;
      const life = lifeOf(entry, this.#container(entry.container), this.margin);
      if (life === 'dead') {
        this.#write(entry, { ...entry, live: false, attributes: undefined, revision: entry.revision + 1 }, undefined);
      } else if (life === 'unsure' && !entry.lookDue && !this.#tampering.trustsNearGone) this.#want(entry);
    }
  }

  purge(before: Timestamp): void {
    for (const [id, entry] of [...this.#entries]) {
      if (!entry.live && !entry.lookDue && entry.seen < before) this.#entries.delete(id);
    }
    this.raiseHorizon(before);
  }

  raiseHorizon(to: Timestamp): void {
    this.#horizon = Math.max(this.#horizon ?? to, to);
  }

  get #policy(): ClockPolicy {
    const triggersTrusted = this.#triggersTrusted || this.#tampering.keepsTriggerClocks === true;
    const policy = { margin: DEFAULT_MARGIN, horizon: this.#horizon, looks: true, triggersTrusted };
    return this.#tampering.policy?.(policy) ?? policy;
  }

  #compare(entry: Entry | undefined, event: BlobEvent): void {
    const accord = this.#triggersTrusted ? compareSources(entry, event) : undefined;
    if (accord !== undefined) this.accords[accord]++;
  }

  #container(name: string): ContainerState {
    const state = this.#containers.get(name) ?? UNKNOWN;
    return this.#tampering.container?.(state) ?? state;
  }

  /** The container as it is to this name: without what went with a directory. */
  #over(key: Key): ContainerState {
    const container = this.#container(key.container);
    if (this.#directories.size === 0 || this.#tampering.forgetsDirectories) return container;
    const above = directoriesOf(key.name);
    const times = [...this.#directories.values()]
      .filter((gone) => gone.container === key.container && above.includes(gone.directory))
      .map(({ time }) => time);
    return underGoneDirectory(container, times.length === 0 ? undefined : Math.max(...times));
  }

  #noteEpoch(event: BlobEvent): void {
    const state = this.#containers.get(event.container) ?? UNKNOWN;
    if (event.epoch === undefined || (state.newestEpoch !== undefined && event.epoch <= state.newestEpoch)) return;
    this.#containers.set(event.container, { ...state, newestEpoch: event.epoch });
  }

  #apply(change: Change, over?: ContainerState): void {
    const entry = this.entry(change);
    const container = over ?? (change.kind === 'event' ? this.#over(change) : this.#container(change.container));
    if (change.kind === 'event') this.#compare(entry, change);
    const { eventRules, decision: tamper } = this.#tampering;
    const decision: Decision =
      change.kind === 'event' && eventRules !== undefined
        ? decideEvent(entry, change, container, this.#policy, RULE_REVISION, eventRules)
        : decide(entry, change, container, RULE, this.#policy, RULE_REVISION);
    const final = tamper?.(decision, entry, change) ?? decision;
    if (final.outcome === 'look') this.wanted++;
    if (final.outcome === 'apply' || final.outcome === 'look') this.#write(entry, final.next, change);
  }

  #want(entry: Entry): void {
    this.wanted++;
    this.#write(entry, { ...entry, lookDue: true, revision: entry.revision + 1 }, undefined);
  }

  #write(before: Entry | undefined, next: Entry, change: Change | undefined): void {
    this.written++;
    const kept = this.#tampering.forgets?.(next) ? undefined : next;
    this.#observe(before, kept, change);
    if (!this.#containers.has(next.container)) this.#containers.set(next.container, UNKNOWN);
    if (kept === undefined) this.#entries.delete(formatKey(next));
    else this.#entries.set(formatKey(next), kept);
  }
}

/** What a directory's end is to one name, for whoever watches. */
function asEvent(key: Key, { time, eventId }: SubtreeGone): BlobEvent {
  const none = { attributes: undefined, sequencer: undefined, epoch: undefined };
  const { container, name } = key;
  return { kind: 'event', source: 'trigger', effect: 'delete', container, name, ...none, time, eventId, api: '' };
}
