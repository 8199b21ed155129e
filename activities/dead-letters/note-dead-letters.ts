import type { Tx } from '../../schema/index/database.ts';
import type { DeadLetterOrigin } from '../../schema/index/dead-letters.ts';
import { recordJournal } from '../../schema/index/journal.ts';

/** What is noted of a message that can never be applied. */
interface NotedLetter {
  readonly messageId: string;
  readonly reason: string;
  readonly description: string;
}

/**
 * Writes down that messages became dead letters, in the transaction that moves past them: they are counted by these
 * notes, so that whoever may come by the same message again notes it no second time.
 */
export async function noteDeadLetters(
  tx: Tx,
  accountId: number,
  origin: DeadLetterOrigin,
  letters: readonly NotedLetter[],
): Promise<void> {
  const notes = letters.map(({ messageId, reason, description }) => {
    return { kind: 'dead-letter', detail: { origin, messageId, reason, description } };
  });
  await recordJournal(tx, accountId, notes);
}
