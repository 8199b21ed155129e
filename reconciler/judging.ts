import type { Logger } from 'pino';
import type { Federation } from '../schema/federation/federation.ts';
import type { Account } from '../schema/index/accounts.ts';
import type { Index } from '../schema/index/database.ts';
import type { RulesInUse } from '../schema/index/live-rules.ts';
import type { BlobSource } from '../schema/ports/blob-source.ts';
import type { Clock } from '../schema/ports/clock.ts';

/** What judging needs of the world. */
export interface Judging extends RulesInUse {
  readonly federation: Pick<Federation, 'sources' | 'reconcile'>;
  readonly account: Account;
  readonly index: Index;
  readonly blobs: BlobSource;
  readonly clock: Clock;
  readonly log: Logger;
}
