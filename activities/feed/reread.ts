import { segmentTime } from '../../schema/feed/segment-path.ts';
import { holdCursor, setCursor } from '../../schema/index/feed-cursors.ts';
import { noteGap } from '../../schema/index/feed-gaps.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import { transact } from '../../schema/index/transact.ts';
import { readTriggerTrust, settleReread } from '../../schema/index/trigger-trust.ts';
import { findSegment, oldestSegment } from '../azure/feed-find.ts';
import type { Services } from '../services.ts';
import { distrustOnMismatch } from '../trust-watch.ts';
import { askForHealing } from './gap.ts';

/**
 * Sets the feed's cursor back to before the first trigger that was applied, where triggers are distrusted and that
 * has not been done. What is to be done stands in the index, so that whoever was killed in between, the tail's next
 * pass does it. Every page in flight loses (invariant 3).
 */
export async function rereadWhereDistrusted(services: Services, signal: AbortSignal): Promise<void> {
  const { account, index, log } = services;
  const trust = await readTriggerTrust(index.db, account.id);
  if (trust.mismatched > 0 && trust.distrustedAt === undefined) {
    await distrustOnMismatch(services);
    return rereadWhereDistrusted(services, signal);
  }
  if (!trust.rereadWanted) return;
  const { firstApplied } = trust;
  const segment =
    firstApplied === undefined
      ? await oldestSegment(services, signal)
      : await findSegment(services, firstApplied, signal);
  // Of a feed that cannot be read now the tail says so by itself.
  if (segment === undefined) return;
  const isMissing = firstApplied !== undefined && (segmentTime(segment) ?? firstApplied) > firstApplied;
  const left = await transact(index, async (tx) => {
    const from = await holdCursor(tx, account.id);
    await settleReread(tx, account.id);
    // A tail that has not come so far reads it anyway.
    if (from === undefined || from.segment < segment) return false;
    await setCursor(tx, account.id, { segment, shards: {} });
    const detail = { reason: 'triggers are distrusted', firstApplied, from, to: { segment, shards: {} } };
    await recordJournal(tx, account.id, [{ kind: 'feed-rewound', detail }]);
    // What came before the feed's beginning only a listing can put right.
    if (isMissing) await noteGap(tx, account.id, { missing: segment, detail });
    return isMissing;
  });
  log.warn({ segment, firstApplied }, 'the feed is read again from before the first trigger that was applied');
  if (left) await askForHealing(services);
}
