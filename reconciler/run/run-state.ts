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

const runState = z.object({
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
  /** Files of a report that are staged. */
  parts: z.int().default(0),
  /** Rows that were staged, in all and of the part under way. */
  stagedRows: z.int().default(0),
  partRows: z.int().default(0),
  /** Containers up to this one are listed. */
  listedTo: z.string().default(''),
  /** What this part added to `listed` and `agreed`; taken back where the part is begun anew. */
  partListed: z.int().default(0),
  partAgreed: z.int().default(0),
  phase: z.enum(['stage', 'present', 'absent', 'want', 'wait']).default('stage'),
  after: position.nullable().default(null),
  /** Which of the containers the pass over the index is in, by name. */
  inContainer: z.string().default(''),
  guarded: z.string().nullable().default(null),
  judgedAt: timestamp.nullable().default(null),
});

/** The reconciler's own notes of a run, in `runs.state`. */
export type RunState = z.output<typeof runState>;

/** Keys that are absent have their first value. */
export function parseRunState(value: unknown): RunState {
  return runState.parse(value);
}
