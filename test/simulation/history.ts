import type { BlobEvent } from '../../namespace/change.ts';
import type { Key } from '../../namespace/key.ts';
import { type Published, type PublishedDirectory, SimulatedAccount } from './account.ts';
import { type Distrust, distrustOf } from './distrust.ts';
import { IndexDouble } from './index-double.ts';
import { Inspectors } from './inspectors.ts';
import { Random } from './random.ts';
import type { Tampering } from './tampering.ts';
import { Timeline } from './timeline.ts';
import { Violated, Witness } from './witness.ts';
import type { World } from './world.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 0, 1);
const CONTAINERS = ['c0', 'c1'] as const;
const NAMES = ['a', 'b', 'c'] as const;
const DIRECTORIES = ['d', 'e', 'f'] as const;
const NAMES_IN_DIRECTORIES = ['a', 'd/a', 'd/b', 'd/s/a', 'e/a', 'e/b', 'f/s/a'] as const;
/** Written at last where only the feed could tell that a container was made again. */
const MARKER = 'marker';

export interface HistoryResult {
  readonly changes: number;
  readonly looks: number;
  /** Looks that the second replay wanted. */
  readonly looksOnReplay: number;
  /** Entries that the second replay wrote, if only to look once more. */
  readonly writtenOnReplay: number;
}

/** One account's life, told to one index by the world's sources; throws `Violated` where the index does not end, and stay, as the account is. */
export function playHistory(
  world: World,
  seed: number,
  stream: number,
  tampering: Tampering,
  tell?: Tell,
): HistoryResult {
  return new History(world, new Random(seed, stream), tampering, tell).play();
}

/** Takes the history's story, line by line. */
export type Tell = (line: string) => void;

class History {
  readonly #world: World;
  readonly #random: Random;
  readonly #timeline = new Timeline(START);
  readonly #account: SimulatedAccount;
  readonly #index: IndexDouble;
  readonly #witness: Witness;
  readonly #inspectors: Inspectors;
  readonly #tell: Tell | undefined;
  readonly #published: Published[] = [];
  readonly #directories: PublishedDirectory[] = [];
  readonly #names: readonly [string, ...string[]];
  readonly #feed: { readonly event: BlobEvent; readonly readableAt: number }[] = [];
  readonly #inbox: BlobEvent[] = [];
  #cursor = 0;
  #pollDue = false;
  #intakeDue = false;
  /** When the index began; before, no source is read. */
  #begun: boolean;
  readonly #tampering: Tampering;
  readonly #distrust: Distrust | undefined;
  /** The event's time of the oldest trigger that moved anything. */
  #firstTrigger: number | undefined;

  constructor(world: World, random: Random, tampering: Tampering, tell: Tell | undefined) {
    const at = tell && ((line: string) => tell(`${this.#timeline.now} ${line}`));
    this.#tell = at;
    this.#world = world;
    this.#random = random;
    this.#begun = !world.bootstrap;
    this.#tampering = tampering;
    this.#distrust = distrustOf(world, random);
    this.#account = new SimulatedAccount(world, random, this.#timeline, (published) => this.#hear(published));
    this.#witness = new Witness(this.#account, at);
    this.#index = new IndexDouble(tampering, (before, next, change) => this.#witness.observe(before, next, change));
    this.#names = world.directories ? NAMES_IN_DIRECTORIES : NAMES;
    const everyName = world.directories ? everyNameIn(NAMES_IN_DIRECTORIES) : NAMES;
    this.#inspectors = new Inspectors(this.#timeline, random, this.#account, this.#index, this.#witness, [
      ...everyName,
      MARKER,
    ]);
  }

  play(): HistoryResult {
    for (const name of CONTAINERS) this.#account.createContainer(name);
    const changes = this.#random.between(10, 60);
    const failover = this.#world.failover ? this.#random.between(0, changes) : -1;
    const begin = this.#world.bootstrap ? this.#random.between(0, changes) : -1;
    const notice = this.#distrust?.notice === 'by chance' ? this.#random.between(0, changes) : -1;
    this.#witness.lenient = this.#distrust !== undefined;
    for (let change = 0; change < changes; change++) {
      this.#timeline.run(this.#timeline.now + this.#pause());
      if (change === begin) this.#bootstrap();
      if (change === failover) this.#failOver();
      if (change === notice) this.#distrustTriggers();
      this.#change();
      this.#disturb();
    }
    if (!this.#begun) this.#bootstrap();
    this.#settle();
    this.#witness.compare(this.#index.live());

    if (this.#distrust === undefined && this.#index.accords.mismatched > 0) {
      throw new Violated('trigger and feed print the same sequencers, and were found to differ');
    }

    const looks = this.#index.wanted;
    this.#witness.frozen = true;
    this.#replay();
    this.#witness.compare(this.#index.live());
    const again = this.#index.wanted;
    const written = this.#index.written;
    this.#replay();
    this.#witness.compare(this.#index.live());
    const writtenOnReplay = this.#index.written - written;
    return { changes, looks, looksOnReplay: this.#index.wanted - again, writtenOnReplay };
  }

  #pause(): number {
    const { between, chance } = bind(this.#random);
    if (chance(0.4)) return between(0, 3 * SECOND);
    if (chance(0.5)) return between(3 * SECOND, 45 * SECOND);
    return chance(0.7) ? between(45 * SECOND, 10 * MINUTE) : between(10 * MINUTE, 2 * HOUR);
  }

  #change(): void {
    const habit = this.#world.habits;
    const favourite = habit === 'same-etag' && this.#random.chance(0.7);
    const key: Key = favourite
      ? { container: CONTAINERS[0], name: this.#names[0] }
      : { container: this.#random.pick(CONTAINERS), name: this.#random.pick(this.#names) };
    const account = this.#account;
    if (!account.containerExists(key.container)) {
      if (this.#random.chance(0.5)) account.createContainer(key.container);
      return;
    }
    if (this.#world.containersDeleted && this.#random.chance(habit === 'containers' ? 0.2 : 0.06)) {
      this.#replaceContainer(key);
      return;
    }
    if (this.#world.directories && this.#random.chance(0.2)) {
      this.#changeDirectory(key.container);
      return;
    }
    const dice = this.#random.next();
    const [put, remove, tier] = habit === 'same-etag' ? [0.2, 0.45, 0.75] : [0.5, 0.75, 0.85];
    if (dice < put) account.put(key);
    else if (dice < remove) account.delete(key);
    else if (dice < tier) account.setTier(key);
    else if (habit === 'told-by-triggers') account.put(key);
    else if (habit === 'same-etag' || dice < 0.88) account.undelete(key);
    else if (dice < 0.94) account.append(key);
    else account.setMetadata(key);
  }

  /** Deletes a container and, mostly, makes it again, as soon as Azure lets it or later. */
  #replaceContainer(key: Key): void {
    const { chance, between } = bind(this.#random);
    const busy = this.#world.habits === 'containers';
    if (busy) this.#account.put(key);
    this.#account.deleteContainer(key.container);
    if (!chance(0.8)) return;
    this.#timeline.after(between(30 * SECOND, chance(0.6) ? 40 * SECOND : 20 * MINUTE), () => {
      this.#account.createContainer(key.container);
      if (busy && chance(0.7)) this.#account.put(key);
    });
  }

  /** Renames a directory, now and then back again at once, or deletes it. */
  #changeDirectory(container: string): void {
    const [from, to] = this.#random.shuffle(DIRECTORIES);
    const made = this.#random.chance(0.7) ? to : undefined;
    const published = from === undefined ? undefined : this.#account.changeDirectory(container, from, made);
    if (published === undefined) return;
    this.#directories.push(published);
    this.#witness.learn(published.gone.eventId, published.trueTime);
    this.#tell?.(`happened: ${JSON.stringify(published)}`);
    const { triggers } = this.#world;
    if (triggers === undefined || this.#random.chance(triggers.lost)) return;
    for (let copy = this.#random.chance(triggers.doubled) ? 2 : 1; copy > 0; copy--) {
      const late = this.#random.chance(triggers.late);
      const delay = late ? this.#random.between(MINUTE, 3 * HOUR) : this.#random.between(0, 20 * SECOND);
      this.#timeline.after(delay, () => {
        if (this.#begun) this.#hearOfDirectory(published);
      });
    }
  }

  /** Noted; worked off in steps between which anything may happen, each by whichever worker; then both names are listed. */
  #hearOfDirectory({ gone, made }: PublishedDirectory): void {
    if (!this.#index.noteSubtree(gone)) return;
    const work = (after: string) => {
      const next = this.#index.workSubtree(gone, after, this.#random.between(1, 3));
      // A worker that died after its step had committed, or before: the next one goes on where the index says.
      if (next !== undefined) this.#timeline.after(this.#random.between(0, 20 * SECOND), () => work(next));
      else if (!this.#tampering.listsNoDirectories) {
        this.#timeline.after(this.#random.between(0, MINUTE), () => {
          for (const name of [gone.directory, made]) {
            if (name !== undefined) this.#inspectors.list(gone.container, `${name}/`);
          }
        });
      }
      this.#inspectors.wakeLooks();
    };
    this.#timeline.after(this.#random.between(0, 20 * SECOND), () => work(''));
  }

  /** Inventories, checks of containers, sweeps and purges that fall between changes. */
  #disturb(): void {
    if (!this.#begun) return;
    const { chance, between } = bind(this.#random);
    if (this.#world.inventories && chance(0.05)) this.#inspectors.inventory(between(0, chance(0.5) ? MINUTE : HOUR));
    if (chance(0.08)) this.#inspectors.checkContainers();
    if (chance(0.08)) this.#index.sweep();
    if (this.#world.purges && chance(0.05)) {
      this.#index.purge(this.#account.reportedNow() - between(MINUTE, chance(0.5) ? 5 * MINUTE : HOUR));
    }
    this.#inspectors.wakeLooks();
  }

  /** Nothing is written for a while on both sides of a failover. */
  #failOver(): void {
    this.#timeline.run(this.#timeline.now + MINUTE);
    this.#account.failOver();
    this.#timeline.run(this.#timeline.now + MINUTE);
  }

  /** No trigger is applied any more, and the feed is read again from before the first that was. */
  #distrustTriggers(): void {
    if (!this.#index.triggersTrusted) return;
    this.#tell?.('triggers are distrusted');
    this.#witness.lenient = false;
    const since = this.#firstTrigger;
    this.#index.distrustTriggers();
    if (since !== undefined && !this.#tampering.noRereading) {
      const from = this.#feed.findIndex(({ event }) => event.time >= since - this.#index.margin);
      if (from >= 0) this.#cursor = Math.min(this.#cursor, from);
    }
    this.#wakeFeed();
  }

  #bootstrap(): void {
    this.#begun = true;
    this.#cursor = this.#feed.length;
    this.#inspectors.bootstrap();
    this.#timeline.run(this.#timeline.now + this.#random.between(0, MINUTE));
  }

  /** Lets everything that is on its way arrive, and what must be asked be asked. */
  #settle(): void {
    this.#timeline.run(this.#timeline.now + HOUR);
    if (this.#distrust !== undefined) this.#distrustTriggers();
    if (!this.#world.finalInventory) {
      for (const container of CONTAINERS) this.#account.put({ container, name: MARKER });
    }
    this.#timeline.run();
    this.#timeline.run(this.#timeline.now + HOUR);
    if (this.#world.finalInventory) {
      this.#inspectors.inventory(this.#random.between(0, HOUR));
      this.#timeline.run();
    }
    this.#inspectors.checkContainers();
    this.#timeline.run(this.#timeline.now + HOUR);
    this.#index.sweep();
    this.#inspectors.wakeLooks();
    this.#timeline.run();
  }

  #hear(published: Published): void {
    const { event, trueTime, toTriggers, toFeed } = published;
    this.#published.push(published);
    this.#witness.learn(event.eventId, trueTime);
    this.#tell?.(`happened: ${JSON.stringify(event)}`);
    const { triggers, feed } = this.#world;
    if (feed !== undefined && toFeed) {
      const readableAt = this.#timeline.now + this.#random.between(MINUTE, 5 * MINUTE);
      this.#feed.push({ event: this.#asRecord(published), readableAt });
      this.#wakeFeed();
    }
    if (triggers === undefined || !toTriggers || this.#random.chance(triggers.lost)) return;
    const trigger = this.#garbled(this.#distrust?.garble(asTrigger(published)) ?? asTrigger(published));
    const copies = this.#random.chance(triggers.doubled) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const late = this.#random.chance(triggers.late);
      const delay = late ? this.#random.between(MINUTE, 3 * HOUR) : this.#random.between(0, 20 * SECOND);
      this.#timeline.after(delay, () => {
        this.#inbox.push(trigger);
        this.#wakeIntake();
      });
    }
  }

  #garbled(trigger: BlobEvent): BlobEvent {
    const { unclocked = 0, wrong = 0 } = this.#world.triggers ?? {};
    if (this.#random.chance(unclocked)) return { ...trigger, sequencer: undefined };
    if (trigger.attributes === undefined || !this.#random.chance(wrong)) return trigger;
    return { ...trigger, attributes: { ...trigger.attributes, etag: `${trigger.attributes.etag}?` } };
  }

  #asRecord({ event }: Published): BlobEvent {
    return { ...event, source: 'feed', epoch: this.#world.feed?.epochs ? event.epoch : undefined };
  }

  #wakeIntake(): void {
    if (this.#intakeDue) return;
    this.#intakeDue = true;
    this.#timeline.after(this.#random.between(0, 3 * SECOND), () => {
      this.#intakeDue = false;
      const page = this.#random.shuffle(this.#inbox.splice(0));
      if (this.#begun) this.#apply(page);
    });
  }

  #wakeFeed(): void {
    if (this.#pollDue || this.#cursor >= this.#feed.length) return;
    this.#pollDue = true;
    this.#timeline.after(this.#random.between(10 * SECOND, 3 * MINUTE), () => {
      this.#pollDue = false;
      if (this.#begun) this.#poll();
      this.#wakeFeed();
    });
  }

  #poll(): void {
    let end = this.#cursor;
    while (end < this.#feed.length && (this.#feed[end]?.readableAt ?? 0) <= this.#timeline.now) end++;
    const page = this.#feed.slice(this.#cursor, end).map(({ event }) => event);
    const reread = this.#random.chance(0.1) ? this.#random.between(0, this.#cursor) : this.#cursor;
    if (reread < this.#cursor) this.#apply(this.#feed.slice(reread, this.#cursor).map(({ event }) => event));
    this.#cursor = end;
    this.#apply(page);
  }

  #apply(page: readonly BlobEvent[]): void {
    const { written } = this.#index;
    if (page.length > 0) this.#index.applyEvents(page, this.#random.chance(0.5));
    if (page[0]?.source === 'trigger' && this.#index.written > written) {
      this.#firstTrigger = Math.min(this.#firstTrigger ?? Number.POSITIVE_INFINITY, ...page.map(({ time }) => time));
    }
    if (
      this.#distrust?.notice === 'by comparing' &&
      this.#index.accords.mismatched > 0 &&
      this.#index.triggersTrusted
    ) {
      this.#timeline.after(this.#random.between(0, MINUTE), () => this.#distrustTriggers());
    }
    this.#inspectors.wakeLooks();
  }

  /** All news again: the feed from its start, and every trigger, lost ones too, in any order. */
  #replay(): void {
    const records = this.#feed.map(({ event }) => event);
    const triggers = this.#world.triggers === undefined ? [] : this.#published.filter((news) => news.toTriggers);
    const pages = [records, this.#random.shuffle(triggers.map(asTrigger))];
    for (const page of this.#random.shuffle(pages)) {
      for (let from = 0; from < page.length; ) {
        const size = this.#random.between(1, 20);
        this.#apply(page.slice(from, from + size));
        if (this.#random.chance(0.3)) this.#timeline.run(this.#timeline.now + this.#random.between(0, MINUTE));
        from += size;
      }
    }
    for (const published of this.#random.shuffle(this.#world.triggers === undefined ? [] : this.#directories)) {
      this.#hearOfDirectory(published);
    }
    this.#timeline.run();
    if (this.#index.due().length > 0) throw new Violated('a look is due and nobody answers it');
  }
}

function asTrigger({ event }: Published): BlobEvent {
  return { ...event, source: 'trigger', epoch: undefined };
}

function bind(random: Random) {
  return {
    chance: (probability: number) => random.chance(probability),
    between: (min: number, max: number) => random.between(min, max),
  };
}

/** Every name that a blob may get by the renames of its directory. */
function everyNameIn(names: readonly string[]): readonly string[] {
  const all = names.flatMap((name) => {
    const slash = name.indexOf('/');
    return slash < 0 ? [name] : DIRECTORIES.map((directory) => directory + name.slice(slash));
  });
  return [...new Set(all)];
}
