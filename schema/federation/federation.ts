import { z } from 'zod';
import { busConnectionString, storageConnectionString } from './connection-string.ts';
import { relate } from './relate.ts';

const wholeNumber = (least: number) => z.int().min(least);
const name = (what: string) =>
  z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, `be ${what}: 1 to 63 of a-z, 0-9 and '-', not at its ends`);

const account = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9]{3,24}$/, "be a storage account's name: 3 to 24 of a-z and 0-9")
      .describe('The storage account, as Azure names it.'),
    blobEndpoint: z.url('be an address such as https://NAME.blob.core.windows.net').optional(),
    connectionString: storageConnectionString.optional(),
    marginSeconds: z
      .number()
      .min(1)
      .default(20)
      .describe('More than any two of the clocks that time-stamp its events and answers disagree by.'),
    hierarchical: z
      .boolean()
      .default(false)
      .describe('Whether it has a hierarchical namespace (Data Lake Storage Gen2): then it has no Change Feed.'),
  })
  .describe('Without a connection string the account is reached by DefaultAzureCredential.');

const serviceBus = z
  .strictObject({
    queue: z.string().min(1).describe('The queue that Event Grid delivers to.'),
    connectionString: busConnectionString.optional(),
    namespace: z.string().min(1).optional().describe('NAME.servicebus.windows.net; reached by DefaultAzureCredential.'),
  })
  .refine((bus) => (bus.connectionString === undefined) !== (bus.namespace === undefined), {
    error: 'must have exactly one of connectionString and namespace',
  });

const eventHubs = z
  .strictObject({
    eventHub: z.string().min(1).describe('The event hub that Event Grid delivers to.'),
    consumerGroup: z.string().min(1).default('$Default').describe('One that nobody else reads with.'),
    connectionString: busConnectionString.optional(),
    namespace: z.string().min(1).optional().describe('NAME.servicebus.windows.net; reached by DefaultAzureCredential.'),
    readers: wholeNumber(1)
      .max(32)
      .default(2)
      .describe('How many read at once, in whichever workers there are; more than partitions read nothing.'),
  })
  .refine((hubs) => (hubs.connectionString === undefined) !== (hubs.namespace === undefined), {
    error: 'must have exactly one of connectionString and namespace',
  });

const changeFeed = z.strictObject({
  pollSeconds: z
    .number()
    .min(0.1)
    .max(60)
    .default(1)
    .describe('How long the feed is left alone, at most, once its end is reached. A poll asks for two small files.'),
  settleSeconds: z
    .number()
    .min(0)
    .default(300)
    .describe('How long everything must have been quiet before `status --wait` believes that nothing is on its way.'),
  lagLimitSeconds: z
    .number()
    .min(1)
    .default(600)
    .describe('An alarm is raised where the index is further than this behind what the feed holds.'),
});

const deadLetters = z.strictObject({
  container: z
    .string()
    .min(3)
    .describe('The container of this account that Event Grid writes what it gave up on to; it is only read.'),
  pollSeconds: z.number().min(1).max(3600).default(60).describe('How often it is looked into.'),
});

/** A trigger that is later than the feed has told nothing: by then it no longer does what it is for. */
export const LATE_LIMIT_SECONDS = 900;

const triggers = z.strictObject({
  lateLimitSeconds: z
    .number()
    .min(1)
    .default(LATE_LIMIT_SECONDS)
    .describe('An alarm is raised where triggers are later than this, or none comes for what should have been told.'),
});

const canary = z.strictObject({
  container: z.string().min(1).describe('A container that is there, in which Isthmus may write one small blob.'),
  everySeconds: z
    .number()
    .min(30)
    .default(300)
    .describe('How often it is written where triggers are taken; its own trigger is then waited for.'),
});

const inventory = z.strictObject({
  container: z.string().min(1).describe('The container that inventory reports are written to.'),
  rule: z.string().min(1).optional().describe('The inventory rule whose reports are read; without it, any rule.'),
  everyHours: z.number().positive().default(24).describe('How often a report is looked for.'),
});

/** More than both of these must be lacking before a person is asked. */
const deleteStop = z.strictObject({
  percent: z.number().min(0).max(100).default(1).describe('Of the names of a rule, or of a container.'),
  names: wholeNumber(0).default(1_000),
});

const fileView = z.strictObject({
  kind: z.literal('fileView'),
  root: z.string().min(1).describe('The folder that the view is mounted on. A relative one starts at this file.'),
});

const rule = z.strictObject({
  prefix: z
    .string()
    .describe("'container/', 'container/path/', the exact name of one blob, or '' for the whole account."),
  authority: z.enum(['blob', 'vast']).describe('The side that may change names under this prefix.'),
  sink: z.string().describe('One of the sinks.'),
  stop: deleteStop
    .optional()
    .describe('Where a judge lacks more of this rule than this, nothing is deleted before it is approved.'),
});

const reconcile = z.strictObject({
  stop: deleteStop
    .default({ percent: 1, names: 1_000 })
    .describe('Where a judge lacks more than this, nothing is deleted before it is approved. A rule may have its own.'),
  looksPerSecond: wholeNumber(1).default(2_000).describe('How many blobs are asked for at most, in each worker.'),
  looksPerRun: wholeNumber(1)
    .default(1_000_000)
    .describe('How many blobs a run asks for at most; what is left is for the next run.'),
  sinksEveryHours: z
    .number()
    .positive()
    .default(24)
    .describe('How often each sink is walked and compared with the index.'),
  driftLimit: wholeNumber(0).default(1_000).describe('An alarm is raised where a run finds more drift than this.'),
});

const retention = z.strictObject({
  tombstonesDays: wholeNumber(1).default(30).describe('Longer than the longest delay of any source.'),
  journalDays: wholeNumber(1).default(30),
  runsDays: wholeNumber(1).default(90),
});

/** `federation.yaml`: one storage account bound to one data space, with its sources, sinks and rules. */
export const federationSchema = z
  .strictObject({
    name: name("a federation's name"),
    account,
    index: z
      .strictObject({ url: z.string().min(1) })
      .optional()
      .describe('The Postgres index. DATABASE_URL wins over it.'),
    sources: z
      .strictObject({
        serviceBus: serviceBus.optional(),
        eventHubs: eventHubs.optional(),
        changeFeed: changeFeed.optional(),
        inventory: inventory.optional(),
        deadLetters: deadLetters.optional(),
        triggers: triggers.optional(),
        canary: canary.optional(),
      })
      .default({}),
    sinks: z
      .record(name("a sink's name"), fileView)
      .refine((sinks) => Object.keys(sinks).length > 0, { error: 'must hold at least one sink' }),
    rules: z.array(rule).min(1),
    reconcile: reconcile.default({
      stop: { percent: 1, names: 1_000 },
      looksPerSecond: 2_000,
      looksPerRun: 1_000_000,
      sinksEveryHours: 24,
      driftLimit: 1_000,
    }),
    retention: retention.default({ tombstonesDays: 30, journalDays: 30, runsDays: 90 }),
  })
  .superRefine(relate, { when: () => true });

export type Federation = z.output<typeof federationSchema>;
