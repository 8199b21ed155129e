import { pino } from 'pino';
import { Metrics } from '../activities/observability/metrics.ts';
import { openServices } from '../activities/open-services.ts';
import type { Services } from '../activities/services.ts';
import { ACCOUNT } from '../infra/local/storage/account.ts';
import { federationSchema } from '../schema/federation/federation.ts';
import { ensureAccount } from '../schema/index/accounts.ts';
import { publishRules } from '../schema/index/authority-revisions.ts';
import { openIndex } from '../schema/index/database.ts';

/** Where the parts of the benchmark find what they work on. */
export interface BenchPlaces {
  readonly connectionString: string;
  readonly url: string;
  /** The broker that triggers come from; without it the feed alone is a source. */
  readonly bus?: string | undefined;
  /** The event hub there. @default they come from the queue `QUEUE` */
  readonly hub?: string | undefined;
  /** The file view. @default one that is never written */
  readonly root?: string | undefined;
  /** The container of inventory reports. @default there are none */
  readonly inventory?: string | undefined;
}

export const QUEUE = 'events';

const RULES = [{ prefix: '', authority: 'blob' as const, sink: 'vast' }];

/** The worker's own services for one account, everything of it Blob-authoritative with stubs in one sink. Whoever opens them closes the index. */
export async function benchServices({
  connectionString,
  url,
  bus,
  hub,
  root,
  inventory,
}: BenchPlaces): Promise<Services> {
  const index = openIndex(url);
  const account = await ensureAccount(index, ACCOUNT);
  await publishRules(index, account.id, RULES, 'bench');
  return openServices({
    federation: federationSchema.parse({
      name: 'bench',
      account: { name: ACCOUNT, connectionString },
      // So far apart that a turn of the tail is one pass to the feed's end.
      sources: {
        changeFeed: { pollSeconds: 60 },
        ...(inventory === undefined ? {} : { inventory: { container: inventory } }),
        ...(bus === undefined || hub !== undefined ? {} : { serviceBus: { connectionString: bus, queue: QUEUE } }),
        ...(bus === undefined || hub === undefined ? {} : { eventHubs: { connectionString: bus, eventHub: hub } }),
      },
      sinks: { vast: { kind: 'fileView', root: root ?? '/nowhere' } },
      rules: RULES,
    }),
    index,
    account,
    log: pino({ level: 'silent' }),
    metrics: new Metrics(),
    requestReconcile: async () => {},
  });
}
