import { z } from 'zod';
import { count, time } from './time.ts';

const seconds = z.number().min(0);

/** What only a feed has to tell. */
const feed = z.object({
  segment: z.string().nullable().describe('Path of the manifest of the segment that is being read.'),
  caughtUp: z.boolean().nullable().describe('Everything that the feed holds is applied.'),
  polledAt: time.nullable().describe('When the feed last answered a poll.'),
  recordsPerSecond: z.number().min(0).nullable(),
  why: z
    .string()
    .nullable()
    .describe(
      'Why there is no feed to read: `not-enabled`, `hierarchical`, `forbidden`, `missing`, `disabled`, or `unknown`.',
    ),
  gaps: z
    .array(
      z.object({
        missing: z.string().describe('The file that was to be read next, and was gone.'),
        notedAt: time,
        requestedAt: time.nullable().describe('When a reconcile was asked for, which heals it.'),
      }),
    )
    .describe('Gaps that no reconcile has healed, the oldest first; at most five.'),
  openGaps: count,
  skippedBlocks: count.describe('Bad blocks that an operator ever skipped.'),
});

/** What only triggers have to tell: of who sends them, and who tells first. */
const triggers = z.object({
  listeningSince: time.nullable().describe('Since when they are taken without a break; null: never yet.'),
  receivedAt: time.nullable(),
  lateLimitSeconds: seconds,
  lastHour: z
    .object({
      received: count.describe('By this transport.'),
      late: count.describe('Of those: later than the limit.'),
      medianLatenessSeconds: seconds.nullable().describe("Of those: from an event's time to the index."),
      firstByTrigger: count.describe(
        'Changes of the feed that a trigger of any transport had told before, as far as both are compared. What is read again is not counted again.',
      ),
      firstByFeed: count.describe('Changes of the feed that triggers announce, and that none had told before.'),
      wonByTrigger: z.number().min(0).max(1).nullable().describe('The share of the former; null: there were none.'),
    })
    .describe('Of all workers together. What a worker that was killed counted in its last second is missing.'),
  canary: z
    .object({
      name: z.string().describe('container/name'),
      writtenAt: time.nullable(),
      waitingSince: time.nullable().describe('When the first was written whose trigger has not come.'),
      error: z.string().nullable().describe('Why the last could not be written.'),
    })
    .nullable()
    .describe('null: the federation has none.'),
});

/** `isthmus status --json`. */
export const statusOutput = z.object({
  federation: z.string(),
  account: z.string(),
  at: time,
  settled: z.boolean().describe('Nothing that was written is still on its way, as far as the sources can tell.'),
  moving: z.array(z.string()).describe('What is still on its way, in words.'),
  sources: z.array(
    z.object({
      source: z.enum(['trigger', 'event-hubs', 'feed', 'inventory']).describe('trigger: Service Bus.'),
      state: z.string().describe('What the source last said; `paused` or `alarm` where its loop is stopped.'),
      reason: z.string().nullable(),
      head: time
        .nullable()
        .describe(
          'The newest moment that the source is known to have something of. Where events wait in an event hub it may rest on an estimate of when the oldest came: a hub tells that of its newest event alone.',
        ),
      applied: time.nullable().describe('The newest moment whose changes are applied.'),
      lagSeconds: seconds
        .nullable()
        .describe('Where triggers wait, the age of the oldest; that of an event hub is an estimate.'),
      behind: z.string().nullable().describe('What of it is not taken, in words.'),
      deadLetters: z
        .object({
          count: count.describe('Messages that could never be applied, as far back as the journal is kept.'),
          byOrigin: z
            .array(z.object({ origin: z.enum(['service-bus', 'event-hubs', 'event-grid', 'unknown']), count }))
            .describe('Of those, how many came from where; unknown: they were noted before origins were.'),
          lastReason: z.string().nullable(),
          lastAt: time.nullable(),
        })
        .nullable()
        .describe('null: the source has no dead letters.'),
      hubLosses: z
        .array(
          z.object({
            what: z
              .enum(['made-anew', 'removed'])
              .describe(
                'made-anew: the event hub was deleted and made again under its name; removed: retention was faster than the intake.',
              ),
            lastAt: time,
          }),
        )
        .describe(
          'Of the last 24 hours: events of the event hub that are gone unread. The feed or a listing brings what they told. Empty for other sources.',
        ),
      feed: feed.nullable().describe('null: the source is no feed.'),
      triggers: triggers.nullable().describe('null: the source brings no triggers.'),
    }),
  ),
  index: z.object({
    live: count,
    tombstones: count,
    dead: count.describe("Entries of a container's dead incarnation that were not swept yet."),
    bytes: count,
    lookDue: count,
    stubDue: count,
    byStub: z.record(z.string(), count),
  }),
  stubs: z.array(z.object({ sink: z.string(), due: count, failing: count })),
  workflows: z
    .array(
      z.object({
        id: z.string(),
        source: z.string(),
        running: z.boolean(),
        state: z.enum(['running', 'waiting', 'approval', 'paused', 'alarm', 'done', 'unknown']),
        doing: z.string().nullable(),
        reason: z.string().nullable().describe('Why it is paused or in alarm.'),
        since: time.nullable(),
      }),
    )
    .nullable()
    .describe('null: Temporal does not answer.'),
  judges: z
    .array(
      z.object({
        judge: z.enum(['listing', 'inventory', 'sink']),
        sink: z.string().nullable().describe('null: it judges the account.'),
        everyHours: z.number().nullable().describe('How often it must judge everything; null: only where it is asked.'),
        lastGood: time.nullable().describe('As of when it last judged everything to its end; null: never yet.'),
        last: z
          .object({ run: count, prefix: z.string(), outcome: z.string(), reason: z.string().nullable(), endedAt: time })
          .nullable()
          .describe('Its newest run that ended, however it did.'),
        drift: z
          .record(z.string(), count)
          .describe('Names of which its newest runs found drift, by cause, mended or not.'),
        repeated: z.record(z.string(), count).describe('Of those, the ones that three runs in a row found, or more.'),
        underWay: z
          .object({
            run: count,
            prefix: z.string(),
            phase: z.string().nullable(),
            startedAt: time,
            movedAt: time.describe('When it last did a step.'),
          })
          .nullable(),
        waiting: z
          .array(z.object({ run: count, prefix: z.string(), since: time }))
          .describe('Runs that stand still until a person decides about their deletes.'),
      }),
    )
    .describe('Those that must judge, and others that have.'),
  lastReconcile: z
    .object({
      id: count,
      judge: z.string(),
      outcome: z.string().nullable().describe('null while it runs.'),
      reason: z.string().nullable(),
      startedAt: time,
      endedAt: time.nullable(),
      counts: z.record(z.string(), z.number()),
    })
    .nullable(),
  deadLetters: z
    .array(
      z.object({
        origin: z.enum(['service-bus', 'event-hubs', 'event-grid']),
        reason: z.string(),
        count,
        atLeast: z.boolean().describe('Counting stopped at its limit: there may be more than `count`.'),
      }),
    )
    .describe(
      "Those that nobody has replayed or discarded; of the Service Bus queue's own at most the first hundred are counted, of the index's the newest 10,000.",
    ),
  deadLettersUncounted: z
    .string()
    .nullable()
    .describe(
      "Why those of the Service Bus queue's own are not among them; null: they are, or there is no such queue.",
    ),
  violations: z
    .object({ count: z.int(), last: z.string().nullable() })
    .describe('Changes of the side without authority: recorded, never applied. As far back as retention goes.'),
  alarms: z.array(
    z.object({
      about: z.string().describe('The source, who judges (`listing`, `inventory`, `sink:NAME`), or `temporal`.'),
      kind: z
        .enum([
          ...(['silent', 'poll-stopped', 'lag', 'unreadable', 'stopped', 'gap', 'distrusted'] as const),
          ...(['unannounced', 'late', 'overdue', 'waiting-approval', 'failed', 'stuck', 'drift', 'repeated'] as const),
          ...(['workflow', 'temporal'] as const),
        ])
        .describe(
          'silent: there is news and nothing is taken of it; poll-stopped: nobody asks the source any more; lag: it is taken too late; unreadable: the account refuses the reader, or has no feed; stopped: its loop cannot go on by itself; gap: records are lost that no reconcile has healed; distrusted: triggers contradicted the feed; unannounced: no trigger comes for what should have been told; late: triggers come too late; overdue: a judge has judged nothing for twice its time; waiting-approval: its run stands still until a person decides; failed: its newest run did; stuck: its run does no step any more; drift: it found more than there may be; repeated: three runs in a row found the same; workflow: a loop does not run or is in alarm; temporal: it does not answer.',
        ),
      message: z.string(),
      since: time.nullable(),
    }),
  ),
});
export type StatusOutput = z.output<typeof statusOutput>;
