import type { Timestamp } from '../../namespace/entry.ts';
import { isSettledWithin } from '../../schema/index/dead-letters.ts';
import { isNotedWithin } from '../../schema/index/journal.ts';
import { parseLetterId } from './letter.ts';
import type { OpenLetters } from './open-letters.ts';

/** `replaying` is noted before a letter is sent again: whoever finds it gone in that moment finds no other. */
const KINDS = ['dead-letter-replaying', 'dead-letter-replayed', 'dead-letter-discarded'];

/**
 * Whether a letter that is none any more was replayed or discarded since a command began: an expected race of two that
 * name it, and no failure of the one that came second.
 *
 * @param began by this machine's clock. How long ago that is counts, so that the index's may be another.
 */
export async function isTakenSince(
  { services: { account, index } }: OpenLetters,
  text: string,
  began: Timestamp,
): Promise<boolean> {
  const id = parseLetterId(text);
  const ms = Date.now() - began;
  if ('kept' in id) return await isSettledWithin(index.db, account.id, id.kept, ms);
  return await isNotedWithin(index.db, account.id, { kinds: KINDS, id: text, ms });
}
