/** What a simulated account and its sources are like. Times in milliseconds. */
export interface World {
  readonly name: string;
  readonly triggers:
    | {
        /** Share that never arrives. */
        readonly lost: number;
        readonly doubled: number;
        /** Share that comes up to three hours late. */
        readonly late: number;
        /** Share that carries no sequencer. */
        readonly unclocked: number;
        /** Share that names another ETag than the feed does for the same change. */
        readonly wrong: number;
        /**
         * How its sequencers are not the feed's. Sooner or later that is noticed: no trigger is applied any more and
         * the feed is read again.
         */
        readonly sequencers?: 'random' | 'shifted' | 'reversed' | undefined;
      }
    | undefined;
  readonly feed:
    | {
        /** Schema 4 and later: every record carries its container's epoch. */
        readonly epochs: boolean;
        /** Schema 6 and later: appends are recorded. */
        readonly appends: boolean;
      }
    | undefined;
  /** Inventories run now and then while the account is written to. */
  readonly inventories: boolean;
  /** A complete inventory runs once everything is quiet. */
  readonly finalInventory: boolean;
  /** Containers are deleted and made again. */
  readonly containersDeleted: boolean;
  /** No clock but the epochs' is off by more than this; theirs by no more than half. Any two then disagree by less than M. */
  readonly skew: number;
  /** Tombstones are purged long before the last late trigger has come. */
  readonly purges: boolean;
  /** Once in a history, sequencers start again from below, as after a failover. */
  readonly failover: boolean;
  /** Sequencers start again in each incarnation of a container. What tells two apart is then time, unless both have an epoch: the 30 s between them less two errors must stay above M. */
  readonly sequencersRestart: boolean;
  /** The index begins in the middle of the history, with List Blobs. */
  readonly bootstrap: boolean;
  /**
   * What is done to blobs. `same-etag`: mostly moves between tiers, deletes and undeletes, which come back to an
   * ETag that was there before. `told-by-triggers`: nothing that triggers do not tell of. `containers`: containers
   * are deleted and made again often, with writes just before and just after.
   */
  readonly habits: 'mixed' | 'same-etag' | 'told-by-triggers' | 'containers';
  /** A hierarchical namespace: directories are renamed and deleted, each with one event for all that is in them. */
  readonly directories?: boolean | undefined;
}

const LOSSY = { lost: 0.3, doubled: 0.3, late: 0.3, unclocked: 0, wrong: 0 };
const RELIABLE = { lost: 0, doubled: 0.2, late: 0.2, unclocked: 0, wrong: 0 };
const FULL_FEED = { epochs: true, appends: true };

const ORDINARY: World = {
  name: 'everything on',
  triggers: LOSSY,
  feed: FULL_FEED,
  inventories: true,
  finalInventory: true,
  containersDeleted: true,
  skew: 9_900,
  purges: true,
  failover: false,
  sequencersRestart: false,
  bootstrap: false,
  habits: 'mixed',
};

function world(name: string, differences: Partial<World>): World {
  return { ...ORDINARY, ...differences, name };
}

/** Every combination of sources that a real account may have, and the ways in which each of them lies. */
export const WORLDS: readonly [World, ...World[]] = [
  ORDINARY,
  world('everything on, exact clocks', { skew: 0 }),
  world('everything on, no purges', { purges: false }),
  world('everything on, started by a listing', { bootstrap: true }),
  world('full feed and triggers, no inventory', { inventories: false, finalInventory: false, purges: false }),
  world('full feed and triggers, no inventory, purges', { inventories: false, finalInventory: false }),
  world('full feed and triggers, inventories but not at the end', { finalInventory: false }),
  world('full feed and triggers, no inventory, started by a listing', {
    inventories: false,
    finalInventory: false,
    bootstrap: true,
  }),
  world('full feed alone, no inventory', { triggers: undefined, inventories: false, finalInventory: false }),
  world('full feed, all triggers lost at times', { triggers: { ...LOSSY, lost: 0.8 } }),
  world('feed loses appends', { feed: { epochs: true, appends: false } }),
  world('feed without epochs', { feed: { epochs: false, appends: false } }),
  world('feed without epochs, containers kept, no inventory', {
    feed: { epochs: false, appends: true },
    containersDeleted: false,
    inventories: false,
    finalInventory: false,
  }),
  world('triggers only', { feed: undefined }),
  world('triggers only, late and doubled, none lost', { feed: undefined, triggers: RELIABLE }),
  world('triggers only, none lost, no inventory', {
    feed: undefined,
    triggers: RELIABLE,
    containersDeleted: false,
    inventories: false,
    finalInventory: false,
    habits: 'told-by-triggers',
  }),
  world('triggers only, ETags come back', { feed: undefined, habits: 'same-etag' }),
  world('full feed and triggers, no inventory, ETags come back', {
    inventories: false,
    finalInventory: false,
    habits: 'same-etag',
  }),
  world('triggers only, started by a listing', { feed: undefined, bootstrap: true }),
  world('triggers without sequencers at times', { triggers: { ...LOSSY, unclocked: 0.3 } }),
  world('sequencers run backwards once', { failover: true }),
  world('sequencers run backwards once, no inventory', {
    failover: true,
    inventories: false,
    finalInventory: false,
    purges: false,
  }),
  world('feed alone, sequencers start again in each incarnation', {
    triggers: undefined,
    inventories: false,
    finalInventory: false,
    sequencersRestart: true,
    habits: 'containers',
  }),
  world('containers come and go', { habits: 'containers' }),
  world('containers come and go, triggers only', { feed: undefined, habits: 'containers' }),
  world('containers come and go, no inventory', { inventories: false, finalInventory: false, habits: 'containers' }),
  world('triggers name wrong ETags at times, no inventory', {
    triggers: { ...LOSSY, wrong: 0.3 },
    inventories: false,
    finalInventory: false,
  }),
  world('sequencers start again in each incarnation', { sequencersRestart: true, skew: 4_900 }),
  world('sequencers start again in each incarnation, no inventory', {
    sequencersRestart: true,
    skew: 4_900,
    inventories: false,
    finalInventory: false,
  }),
  world('sequencers start again in each incarnation, triggers only', {
    sequencersRestart: true,
    skew: 4_900,
    feed: undefined,
  }),
  world('sequencers of triggers are random, no inventory', {
    triggers: { ...LOSSY, sequencers: 'random' },
    inventories: false,
    finalInventory: false,
  }),
  world('sequencers of triggers are shifted, no inventory', {
    triggers: { ...LOSSY, sequencers: 'shifted' },
    inventories: false,
    finalInventory: false,
  }),
  world('sequencers of triggers are reversed, no inventory', {
    triggers: { ...LOSSY, sequencers: 'reversed' },
    inventories: false,
    finalInventory: false,
    purges: false,
  }),
  world('sequencers of triggers are random, everything on', { triggers: { ...LOSSY, sequencers: 'random' } }),
  world('sequencers of triggers are random, started by a listing, no inventory', {
    triggers: { ...LOSSY, sequencers: 'random' },
    inventories: false,
    finalInventory: false,
    bootstrap: true,
  }),
  world('sequencers of triggers are random, ETags come back, no inventory', {
    triggers: { ...LOSSY, sequencers: 'random' },
    inventories: false,
    finalInventory: false,
    habits: 'same-etag',
  }),
  world('sequencers of triggers are reversed, containers come and go, no inventory', {
    triggers: { ...RELIABLE, sequencers: 'reversed' },
    inventories: false,
    finalInventory: false,
    habits: 'containers',
  }),
  world('sequencers of triggers are shifted, feed without epochs, containers kept, no inventory', {
    triggers: { ...LOSSY, sequencers: 'shifted' },
    feed: { epochs: false, appends: true },
    containersDeleted: false,
    inventories: false,
    finalInventory: false,
  }),
  world('sequencers of triggers are random, ETags wrong at times, no inventory', {
    triggers: { ...LOSSY, wrong: 0.3, sequencers: 'random' },
    inventories: false,
    finalInventory: false,
  }),
  world('sequencers of triggers are shifted, and run backwards once, no inventory', {
    triggers: { ...LOSSY, sequencers: 'shifted' },
    failover: true,
    inventories: false,
    finalInventory: false,
    purges: false,
  }),
];

const FILES: Partial<World> = { feed: undefined, containersDeleted: false, directories: true };

/** Accounts with a hierarchical namespace, which have no feed. */
export const DIRECTORY_WORLDS: readonly [World, ...World[]] = [
  world('directories, triggers late and doubled, none lost, no inventory', {
    ...FILES,
    triggers: RELIABLE,
    inventories: false,
    finalInventory: false,
    purges: false,
    habits: 'told-by-triggers',
  }),
  world('directories, triggers late and doubled, none lost, no inventory, exact clocks', {
    ...FILES,
    triggers: RELIABLE,
    inventories: false,
    finalInventory: false,
    skew: 0,
    habits: 'told-by-triggers',
  }),
  world('directories, lossy triggers', FILES),
  world('directories, lossy triggers, ETags come back', { ...FILES, habits: 'same-etag' }),
  world('directories, lossy triggers, containers come and go', { ...FILES, containersDeleted: true }),
  world('directories, started by a listing', { ...FILES, bootstrap: true }),
];
