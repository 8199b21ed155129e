import type { Account } from '../../schema/index/accounts.ts';
import type { PageCounts } from '../../schema/index/apply-events.ts';
import { settleLetter } from '../../schema/index/dead-letters.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import type { TriggerMessage } from '../../schema/ports/trigger-queue.ts';
import { applyBatch } from '../apply-batch.ts';
import { applyUnderRules } from '../apply-under-rules.ts';
import { readBatch, type TriggerBatch } from '../azure/trigger-batch.ts';
import type { Services } from '../services.ts';
import { wantReconcile } from '../want-reconcile.ts';

type Applying = Pick<Services, 'account' | 'index' | 'rules' | 'rulesAreStale'>;

/** Why a letter cannot be applied, in a code and a sentence. */
export interface Refusal {
  readonly reason: string;
  readonly description: string;
}

/** What a letter says, and what comes of it. */
export type Rehearsal = { readonly refused: Refusal } | { readonly batch: TriggerBatch; readonly counts: PageCounts };

/** What became of a letter that was to be replayed. `settled`: somebody else has replayed or discarded it. */
export type Replayed = { readonly refused: Refusal } | { readonly counts: PageCounts } | 'settled';

const DISTRUSTED: Refusal = {
  reason: 'distrusted',
  description:
    'triggers are distrusted, so nothing of it would be applied: the feed brings what it tells, or `isthmus triggers trust` takes that back',
};

/** Carries a result out of a transaction that it rolls back. */
class RolledBack<T> extends Error {
  readonly result: T;

  constructor(result: T) {
    super('rolled back on purpose');
    this.result = result;
  }
}

/** Reads a letter as the intake would now. */
function readLetterBody(
  letter: Pick<TriggerMessage, 'body' | 'enqueuedAt'>,
  account: Pick<Account, 'name' | 'margin'>,
): TriggerBatch | Refusal {
  const message: TriggerMessage = { id: '', deliveryCount: 1, ...letter };
  const batch = readBatch([message], account);
  const [refused] = batch.deadLetters;
  const [stranger] = batch.strangers;
  // The intake ignores it; whoever replays it is told that nothing comes of it.
  if (refused === undefined && stranger !== undefined && tellsNothing(batch)) {
    return { reason: 'unknown-account', description: stranger };
  }
  return refused === undefined ? batch : { reason: refused.reason, description: refused.description };
}

function tellsNothing({ events, subtrees, completed }: TriggerBatch): boolean {
  return events.length + subtrees.length + completed.length === 0;
}

/** What would come of a letter if it were applied now. It is applied, and the transaction rolled back. */
export async function rehearse(
  services: Applying,
  letter: Pick<TriggerMessage, 'body' | 'enqueuedAt'>,
): Promise<Rehearsal> {
  const batch = readLetterBody(letter, services.account);
  if ('reason' in batch) return { refused: batch };
  try {
    return await applyUnderRules(services, async (tx, scope): Promise<never> => {
      throw new RolledBack(await applyBatch(tx, scope, batch));
    });
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error;
    const counts = error.result as PageCounts;
    return isDistrusted(counts) ? { refused: DISTRUSTED } : { batch, counts };
  }
}

/**
 * Applies a letter that the index keeps, by the path of every trigger, and marks it as replayed in the same
 * transaction. One that cannot be applied stays as it is.
 */
export async function replayLetter(
  services: Applying & Pick<Services, 'federation' | 'requestReconcile'>,
  letter: Pick<TriggerMessage, 'body' | 'enqueuedAt'> & { readonly id: number; readonly messageId: string },
): Promise<Replayed> {
  const { account } = services;
  const batch = readLetterBody(letter, account);
  if ('reason' in batch) return { refused: batch };
  // Before it is marked: a wish that Temporal does not take leaves the letter as it is.
  for (const { run } of batch.completed) await wantReconcile(services, run);
  const { id, messageId } = letter;
  try {
    return await applyUnderRules(services, async (tx, scope): Promise<Replayed> => {
      if (!(await settleLetter(tx, account.id, id, 'replayed'))) return 'settled';
      const counts = await applyBatch(tx, scope, batch);
      if (isDistrusted(counts)) throw new RolledBack(DISTRUSTED);
      await recordJournal(tx, account.id, [{ kind: 'dead-letter-replayed', detail: { id, messageId } }]);
      return { counts };
    });
  } catch (error) {
    if (error instanceof RolledBack) return { refused: DISTRUSTED };
    throw error;
  }
}

function isDistrusted({ ignored }: PageCounts): boolean {
  return (ignored.distrusted ?? 0) > 0;
}
