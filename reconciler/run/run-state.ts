import { z } from 'zod';

const timestamp = z.int();

/** Where a pass over keys stands: after this one, in the order of the index's primary key. */
const position = z.object({ container: z.int(), head: z.string(), hash: z.string() });

const inventory = z.object({
  container: z.string(),
  rule: z.string(),
  format: z.enum(['csv', 'parquet']),
  files: z.array(z.object({ blob: z.string(), size: z.number().optional() })),
  filters: z.object({
    prefixMatch: z.array(z.string()),
    excludePrefix: z.array(z.string()),
    blobTypes: z.array(z.string()),
    createdInLastDays: z.number().optional(),
  }),
  objectCount: z.number(),
});
export type InventoryOfRun = z.output<typeof inventory>;

const numbers = { missing: z.int(), live: z.int() };
const share = z.discriminatedUnion('of', [
  z.object({ of: z.literal('all'), ...numbers }),
  z.object({ of: z.literal('container'), name: z.string(), ...numbers }),
  z.object({ of: z.literal('rule'), prefix: z.string(), ...numbers }),
]);

const runState = z.object({
  /** Steps that were done: by it of two who drive the run one is stopped. */
  step: z.int().default(0),
  /** As asked for: a run that a dead attempt left behind is taken up by the same wish. */
  wish: z.string().default(''),
  /** The rules that were live when a listing began; null in runs older than this note, and in those of a report. */
  ruleRevision: z.int().nullable().default(null),
  /** Each name was seen by the judge at some moment from `from` to `to`. */
  from: timestamp.nullable().default(null),
  to: timestamp.nullable().default(null),
  inventory: inventory.nullable().default(null),
  /** Whether listed names are kept, to find what is absent. A bootstrap of an empty index needs none. */
  keepsNames: z.boolean().default(true),
  /** Whether a listing's pages are applied as they come: no judge has seen the whole account yet, so that what it names is no drift. */
  applies: z.boolean().default(false),
  /** Files of a report that are staged, by their place in the manifest. */
  staged: z.array(z.int()).default([]),
  /** Rows of a report that are staged. */
  stagedRows: z.int().default(0),
  /** A phase that there is no more was left by runs of an earlier version, which have ended. */
  phase: z.enum(['stage', 'compare', 'present', 'plan', 'approve', 'want', 'wait']).catch('stage').default('stage'),
  /** Partitions of the index that are compared, by name, of so many. */
  compared: z.array(z.string()).default([]),
  partitions: z.int().nullable().default(null),
  after: position.nullable().default(null),
  /** Which of the containers the pass over the index is in, by name. */
  inContainer: z.string().default(''),
  /** The same, for a pass over the run's findings. */
  afterFinding: z.int().default(0),
  /** How far the sources were heard when the run began to compare. */
  heard: z.object({ trigger: timestamp.optional(), feed: timestamp.optional() }).default({}),
  /** The run before of the same judge and scope: what it found too goes on its streak. */
  previousRun: z.int().nullable().default(null),
  /** Looks that the run asked for, of those that it may. */
  asked: z.int().default(0),
  /** Differences that it did not look at, as it has asked for all looks that it may. */
  unasked: z.int().default(0),
  /** Containers that said themselves that they are gone. */
  goneContainers: z.array(z.int()).default([]),
  /** Whether they said so again, once their names may go. */
  goneConfirmed: z.boolean().default(false),
  /** Missing names by the rule that rules them, by its prefix. */
  missingByRule: z.record(z.string(), z.int()).default({}),
  /** What of the containers and the rules that lack most is missing, for people. */
  shares: z.array(share).default([]),
  /** Why the run must not delete by itself, each in a sentence. */
  tripped: z.array(z.string()).default([]),
  guarded: z.string().nullable().default(null),
  judgedAt: timestamp.nullable().default(null),
});

/** The reconciler's own notes of a run, in `runs.state`. */
export type RunState = z.output<typeof runState>;

/** Keys that are absent have their first value. */
export function parseRunState(value: unknown): RunState {
  return runState.parse(value);
}
