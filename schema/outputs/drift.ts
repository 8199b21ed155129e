import { z } from 'zod';
import { CAUSE_NAMES, DIFFERENCES, FINDING_STATES } from '../drift/cause.ts';
import { count, time } from './time.ts';

const cause = z.enum(CAUSE_NAMES as unknown as readonly [string, ...string[]]);
const judge = z.enum(['listing', 'inventory', 'sink']);
const state = z
  .enum(FINDING_STATES)
  .describe(
    'looking: a look was asked for and decides; repaired: index or sink is now as the source is; held: it waits for the approval of its run; refused: that was refused, or never given; open: nothing that Isthmus does mends it; explained: there was nothing to mend; undone: it was repaired, and taken back.',
  );

const run = z.object({
  run: count,
  judge,
  sink: z.string().nullable().describe('null: it judged the account.'),
  prefix: z.string().describe('What it judged: a plain prefix of container/name.'),
  startedAt: time,
  endedAt: time.nullable(),
  outcome: z.string().nullable().describe('null: it has not ended.'),
  waitingSince: time.nullable().describe('Since when it waits for a person to approve its deletes.'),
  drift: count.describe('Names of which it found drift, mended or not, kept as findings or not.'),
  byCause: z.record(z.string(), count).describe('Of those.'),
});

const version = z.looseObject({
  etag: z.string().optional(),
  length: z.number().optional(),
  lastModified: time.optional(),
  blobType: z.string().optional(),
  tier: z.string().optional(),
  state: z.string().optional().describe('Of a sink: `stub`, `hydrated`, `foreign`.'),
});

/** What is kept with a finding; absent parts were not there. */
const evidence = z.object({
  judge: version.optional().describe('What the judge saw; absent: it did not list the name.'),
  index: version.extend({ live: z.boolean(), seen: time, source: z.string() }).optional(),
  sink: version.optional(),
  heard: z
    .object({ trigger: time.optional(), feed: time.optional() })
    .optional()
    .describe('How far each source was heard when the judge began.'),
  look: version
    .extend({ live: z.boolean(), at: time.optional() })
    .optional()
    .describe('What a look said; `live` false is a 404.'),
  note: z.string().optional(),
});

const finding = z.object({
  id: count,
  run: count,
  judge: judge.nullable(),
  container: z.string(),
  name: z.string(),
  difference: z
    .enum(DIFFERENCES)
    .describe(
      'not-listed: live in the index, and the judge did not see it; not-indexed: seen, and not live in the index; other-version; other-attributes: of the same version; sink: index against sink.',
    ),
  cause,
  meaning: z.string().describe('What the cause says.'),
  state,
  streak: count.describe('Runs in a row, of this judge and scope, that found it.'),
  notedAt: time,
  settledAt: time.nullable().describe('When it was known what became of it.'),
  evidence,
});
export type DriftFinding = z.output<typeof finding>;

/** `isthmus drift --json`. */
export const driftOutput = z.object({
  runs: z.array(run).describe('Those whose findings are told, the newest first.'),
  states: z.array(state).describe('Which findings are told.'),
  count: count.describe('How many those are, as far as they are kept.'),
  causes: z
    .array(z.object({ run: count, cause, meaning: z.string(), state, count, repeated: count }))
    .describe('The most first; `repeated`: that three runs in a row found, or more.'),
  prefixes: z.array(z.object({ prefix: z.string(), count })).describe('By folder, the most first; at most 20.'),
  findings: z.array(finding).describe('The first of them, as many as --limit lets through.'),
});
export type DriftOutput = z.output<typeof driftOutput>;

/** `isthmus drift --trend --json`. */
export const driftTrendOutput = z.object({ runs: z.array(run).describe('The newest first.') });
export type DriftTrendOutput = z.output<typeof driftTrendOutput>;

/** `isthmus drift show --json`. */
export const driftShowOutput = z.object({
  container: z.string(),
  name: z.string(),
  findings: z.array(finding).describe('The newest first, as far back as runs are kept.'),
});
export type DriftShowOutput = z.output<typeof driftShowOutput>;

/** A line of `isthmus drift causes --json`. */
export const driftCause = z.object({
  cause,
  of: z.enum(['account', 'sink']),
  drift: z.boolean().describe('false: it needs no mending.'),
  meaning: z.string(),
});
export type DriftCause = z.output<typeof driftCause>;
