import type { Timestamp } from '../namespace/entry.ts';
import type { PageCounts } from '../schema/index/apply-events.ts';
import { addAgreements, distrustTriggers } from '../schema/index/trigger-trust.ts';
import type { Services } from './services.ts';

const EVERY_MS = 1_000;

type Watching = Pick<Services, 'account' | 'clock' | 'index' | 'log' | 'metrics'>;

/**
 * Watches the assumption that triggers and feed print the same sequencers, page by page. Agreements are counted,
 * not in the pages' transactions and at most once a second; a mismatch, which its page has written down, ends the
 * trust at once.
 */
export class TrustWatch {
  readonly #services: Watching;
  #agreed = 0;
  #writtenAt: Timestamp = Number.NEGATIVE_INFINITY;

  constructor(services: Watching) {
    this.#services = services;
  }

  /** After the commit of a page. */
  async seen({ agreed, mismatched }: Pick<PageCounts, 'agreed' | 'mismatched'>): Promise<void> {
    const { clock, metrics } = this.#services;
    metrics.trust({ agreed, mismatched });
    this.#agreed += agreed;
    if (mismatched > 0) await distrustOnMismatch(this.#services);
    const age = clock.now() - this.#writtenAt;
    if (mismatched > 0 || age < 0 || age >= EVERY_MS) await this.flush();
  }

  /** Writes down what was counted since it last was. */
  async flush(): Promise<void> {
    const { account, clock, index } = this.#services;
    const agreed = this.#agreed;
    this.#agreed = 0;
    this.#writtenAt = clock.now();
    try {
      await addAgreements(index.db, account.id, agreed);
    } catch (error) {
      this.#agreed += agreed;
      throw error;
    }
  }
}

/** Ends the trust in triggers where a mismatch is written down, whoever found it, and says so once. */
export async function distrustOnMismatch({ account, index, log }: Watching): Promise<void> {
  const trust = await distrustTriggers(index, account.id);
  if (trust === undefined) return;
  const { agreed, mismatched, evidence, firstApplied } = trust;
  log.error(
    { account: account.name, agreed, mismatched, evidence, firstApplied },
    'Alarm: trigger and feed told of one change with two sequencers. Triggers are not applied any more, and the feed is read again from before the first that was',
  );
}
