import type { BlobEvent, SubtreeGone } from '../../namespace/change.ts';
import type { Attributes } from '../../namespace/entry.ts';
import { type Epoch, epochAt } from '../../namespace/epoch.ts';
import { formatKey, type Key } from '../../namespace/key.ts';
import { parseSequencer, type Sequencer } from '../../namespace/sequencer.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';
import type { World } from './world.ts';

/** One version of a blob, as the account has it. */
interface Version {
  readonly attributes: Attributes & { readonly tier: string };
  readonly append: boolean;
}

interface Container {
  exists: boolean;
  epoch: Epoch;
  incarnation: number;
  deletedAt: number;
  /** What sequencers of this incarnation count on from, where each has its own. */
  sequence: number;
  blobs: Map<string, Version>;
  /** What was deleted last, by name: what an undelete brings back. */
  readonly deleted: Map<string, Version>;
}

/** What the account published of one change: which sources may tell it, and when it truly happened. */
export interface Published {
  readonly event: Omit<BlobEvent, 'source'>;
  readonly trueTime: number;
  readonly toTriggers: boolean;
  readonly toFeed: boolean;
}

/** What the account published of a directory that was deleted or renamed. */
export interface PublishedDirectory {
  readonly gone: SubtreeGone;
  /** What it is called now, in the same container; undefined where it was deleted. */
  readonly made: string | undefined;
  readonly trueTime: number;
}

const REUSE_AFTER = 30_000;
/** Where the counting of sequencers begins. */
export const FIRST_SEQUENCE = 1_000;

/** The source of truth: containers and blobs under a true clock, of which nobody else sees more than `Published` and HEAD. */
export class SimulatedAccount {
  readonly #world: World;
  readonly #random: Random;
  readonly #timeline: Timeline;
  readonly #publish: (published: Published) => void;
  readonly #containers = new Map<string, Container>();
  #changes = 0;
  readonly #counter = { sequence: FIRST_SEQUENCE };
  readonly #skew: number;

  constructor(world: World, random: Random, timeline: Timeline, publish: (published: Published) => void) {
    this.#world = world;
    this.#random = random;
    this.#timeline = timeline;
    this.#publish = publish;
    this.#skew = random.chance(0.5) ? world.skew : Math.min(1_000, world.skew);
  }

  /** What a clock says now. */
  reportedNow(): number {
    return this.#timeline.now + this.#error(this.#skew);
  }

  get containerNames(): readonly string[] {
    return [...this.#containers.keys()];
  }

  containerExists(name: string): boolean {
    return this.#containers.get(name)?.exists === true;
  }

  /** The blob as it is now. */
  head(key: Key): (Attributes & { readonly tier: string }) | undefined {
    const container = this.#containers.get(key.container);
    return container?.exists ? container.blobs.get(key.name)?.attributes : undefined;
  }

  /** Every live blob with its attributes, by `container/name`. */
  truth(): Map<string, Attributes & { readonly tier: string }> {
    const live = new Map<string, Attributes & { readonly tier: string }>();
    for (const [container, { exists, blobs }] of this.#containers) {
      if (!exists) continue;
      for (const [name, { attributes }] of blobs) live.set(formatKey({ container, name }), attributes);
    }
    return live;
  }

  /** False where the name is refused: it exists, or was deleted less than 30 s ago. */
  createContainer(name: string): boolean {
    const before = this.#containers.get(name);
    if (before?.exists || (before !== undefined && this.#timeline.now < before.deletedAt + REUSE_AFTER)) return false;
    const incarnation = (before?.incarnation ?? 0) + 1;
    const epoch = epochAt(this.#timeline.now + this.#error(this.#skew / 2));
    const deletedAt = Number.NEGATIVE_INFINITY;
    const sequence = this.#random.between(1, 1_000);
    const [blobs, deleted] = [new Map<string, Version>(), new Map<string, Version>()];
    this.#containers.set(name, { exists: true, epoch, incarnation, deletedAt, sequence, blobs, deleted });
    return true;
  }

  deleteContainer(name: string): void {
    const container = this.#containers.get(name);
    if (!container?.exists) return;
    container.exists = false;
    container.deletedAt = this.#timeline.now;
    container.blobs = new Map();
  }

  /** From here on, sequencers run through numbers that they have run through before. */
  failOver(): void {
    this.#counter.sequence = this.#random.chance(0.5) ? FIRST_SEQUENCE : this.#random.between(1, FIRST_SEQUENCE);
  }

  put(key: Key): void {
    const append = this.#random.chance(0.25);
    const length = append ? 0 : this.#random.between(1, 1_000_000);
    this.#write(key, { attributes: { etag: this.#etag(), length, tier: 'Hot' }, append }, 'put', true, true);
  }

  append(key: Key): void {
    const version = this.#containers.get(key.container)?.blobs.get(key.name);
    if (version === undefined || !version.append) {
      this.put(key);
      return;
    }
    const length = version.attributes.length + this.#random.between(1, 1_000);
    const next = { ...version, attributes: { ...version.attributes, etag: this.#etag(), length } };
    this.#write(key, next, 'touch', false, this.#world.feed?.appends === true);
  }

  setMetadata(key: Key): void {
    const version = this.#containers.get(key.container)?.blobs.get(key.name);
    if (version === undefined) {
      this.put(key);
      return;
    }
    const metadata = { revision: String(this.#changes) };
    const next = { ...version, attributes: { ...version.attributes, etag: this.#etag(), metadata } };
    this.#write(key, next, 'touch', false, true);
  }

  /** The one change that keeps the ETag. Some sources name the tier, others only say that something happened. */
  setTier(key: Key): void {
    const version = this.#containers.get(key.container)?.blobs.get(key.name);
    if (version === undefined) {
      this.put(key);
      return;
    }
    const tier = version.attributes.tier === 'Hot' ? 'Cool' : 'Hot';
    const effect = this.#random.chance(0.5) && !version.append ? 'put' : 'touch';
    this.#write(key, { ...version, attributes: { ...version.attributes, tier } }, effect, true, true);
  }

  delete(key: Key): void {
    const container = this.#containers.get(key.container);
    const version = container?.blobs.get(key.name);
    if (!container?.exists || version === undefined) return;
    container.blobs.delete(key.name);
    container.deleted.set(key.name, version);
    this.#tell(key, container, 'delete', undefined, true, true);
  }

  /**
   * Renames a directory, or deletes it with what is in it: the blobs go, or move with their versions, and no event is
   * told of any of them. @returns undefined where Azure would refuse, since something is in the way.
   */
  changeDirectory(container: string, directory: string, made: string | undefined): PublishedDirectory | undefined {
    const { exists, blobs, deleted } = this.#containers.get(container) ?? {};
    if (!exists || blobs === undefined || deleted === undefined) return undefined;
    const below = (name: string) => [...blobs].filter(([each]) => each.startsWith(`${name}/`));
    if (made !== undefined && below(made).length > 0) return undefined;
    for (const [name, version] of below(directory)) {
      blobs.delete(name);
      if (made !== undefined) blobs.set(made + name.slice(directory.length), version);
    }
    for (const name of [...deleted.keys()]) if (name.startsWith(`${directory}/`)) deleted.delete(name);
    const gone = { container, directory, time: this.reportedNow(), eventId: `d${++this.#changes}` };
    return { gone, made, trueTime: this.#timeline.now };
  }

  undelete(key: Key): void {
    const version = this.#containers.get(key.container)?.deleted.get(key.name);
    if (version === undefined) this.put(key);
    else this.#write(key, version, 'put', false, true);
  }

  #write(key: Key, version: Version, effect: 'put' | 'touch', toTriggers: boolean, toFeed: boolean): void {
    const container = this.#containers.get(key.container);
    if (!container?.exists) return;
    container.blobs.set(key.name, version);
    container.deleted.delete(key.name);
    const { etag, length, tier } = version.attributes;
    const unnamed = effect === 'touch' && this.#random.chance(0.3);
    this.#tell(key, container, effect, unnamed ? undefined : { etag, length, tier }, toTriggers, toFeed);
  }

  #tell(
    key: Key,
    container: Container,
    effect: BlobEvent['effect'],
    attributes: Attributes | undefined,
    toTriggers: boolean,
    toFeed: boolean,
  ): void {
    const counter = this.#world.sequencersRestart ? container : this.#counter;
    counter.sequence += this.#world.failover ? 1 : this.#random.between(1, 3);
    const id = `e${++this.#changes}`;
    this.#publish({
      event: {
        kind: 'event',
        container: key.container,
        name: key.name,
        effect,
        attributes,
        sequencer: sequencerOf(counter.sequence),
        epoch: container.epoch,
        time: this.reportedNow(),
        eventId: id,
        api: effect,
      },
      trueTime: this.#timeline.now,
      toTriggers,
      toFeed,
    });
  }

  #etag(): string {
    return `0x${this.#timeline.now.toString(16)}.${this.#changes}`;
  }

  #error(bound: number): number {
    return Math.round((this.#random.next() * 2 - 1) * bound);
  }
}

export function sequencerOf(number: number): Sequencer {
  const sequencer = parseSequencer(number.toString(16));
  if (sequencer === undefined) throw new Error(`${number} is no sequencer`);
  return sequencer;
}
