import { rehearse, replayLetter } from '../../activities/dead-letters/replay-letter.ts';
import { glimpse } from '../../schema/events/glimpse.ts';
import type { KeptDeadLetter } from '../../schema/index/dead-letters.ts';
import { settleLetter } from '../../schema/index/dead-letters.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import { transact } from '../../schema/index/transact.ts';
import type { DeadletterOutcome } from '../../schema/outputs/deadletter.ts';
import type { HeldDeadLetter } from '../../schema/ports/dead-letter-queue.ts';
import { keptId, queuedId } from './letter.ts';
import type { OpenLetters } from './open-letters.ts';

/** What is done with each letter that was chosen. */
export interface Settling {
  kept(letter: KeptDeadLetter): Promise<DeadletterOutcome>;
  queued(held: HeldDeadLetter): Promise<DeadletterOutcome>;
}

/** Why a letter is none any more that was one when it was chosen. */
export const TAKEN = 'somebody else has replayed or discarded it';

const NO_COUNTS = { why: null, applied: null, superseded: null, ignored: null, looks: null };

export function outcome(
  id: string,
  what: DeadletterOutcome['outcome'],
  more: Partial<DeadletterOutcome> = {},
): DeadletterOutcome {
  return { id, outcome: what, ...NO_COUNTS, ...more };
}

/** Takes the path of every trigger: back into the queue, or applied here where the index keeps the letter. */
export function replaying({ services }: OpenLetters): Settling {
  const { account, index } = services;
  return {
    async kept(letter) {
      const id = keptId(letter);
      const replayed = await replayLetter(services, letter);
      if (replayed === 'settled') return outcome(id, 'gone', { why: TAKEN });
      if ('refused' in replayed) {
        const { reason, description } = replayed.refused;
        return outcome(id, 'stays', { why: `${reason}: ${description}` });
      }
      const { applied, superseded, looks, ignored } = replayed.counts;
      const sum = Object.values(ignored).reduce((all, each) => all + each, 0);
      return outcome(id, 'applied', { applied, superseded, looks, ignored: sum });
    },
    async queued(held) {
      const id = queuedId(held.letter);
      // Else it would be here again in a moment, as another letter, or be taken without being applied.
      const rehearsal = await rehearse(services, held.letter);
      if ('refused' in rehearsal) {
        const { reason, description } = rehearsal.refused;
        return outcome(id, 'stays', { why: `${reason}: ${description}` });
      }
      const detail = { id, messageId: held.letter.messageId };
      // First, so that whoever finds none of it any more finds why; it may stay, where it cannot be sent.
      await recordJournal(index.db, account.id, [{ kind: 'dead-letter-replaying', detail }]);
      const sent = await held.requeue();
      await recordJournal(index.db, account.id, [{ kind: 'dead-letter-replayed', detail }]);
      if (sent === 'requeued') return outcome(id, 'requeued');
      return outcome(id, 'stays', {
        why: 'it is in the queue again, but its lock was lost, so that it is here as well: replay or discard it again, the same news twice changes nothing',
      });
    },
  };
}

/** For good, and written down with the operator's reason. */
export function discarding({ services: { account, index } }: OpenLetters, why: string): Settling {
  return {
    async kept(letter) {
      const id = keptId(letter);
      const done = await transact(index, async (tx) => {
        if (!(await settleLetter(tx, account.id, letter.id, 'discarded'))) return false;
        await recordJournal(tx, account.id, [{ kind: 'dead-letter-discarded', detail: { id, why, ...about(letter) } }]);
        return true;
      });
      return done ? outcome(id, 'discarded') : outcome(id, 'gone', { why: TAKEN });
    },
    async queued(held) {
      const id = queuedId(held.letter);
      // First, so that none is gone without a word; a note of one that stays does no harm.
      const detail = { id, why, ...about(held.letter) };
      await recordJournal(index.db, account.id, [{ kind: 'dead-letter-discarded', detail }]);
      if ((await held.remove()) === 'removed') return outcome(id, 'discarded');
      return outcome(id, 'stays', { why: 'its lock was lost: discard it again' });
    },
  };
}

function about(letter: { messageId: string; reason: string; description: string; body: unknown }) {
  const { messageId, reason, description, body } = letter;
  const { type, subject } = glimpse(body);
  return { messageId, reason, description, type, subject };
}
