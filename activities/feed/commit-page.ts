import { applyEvents, type PageCounts } from '../../schema/index/apply-events.ts';
import { moveShard } from '../../schema/index/feed-cursors.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import { applyUnderRules } from '../apply-under-rules.ts';
import type { FeedPage } from '../azure/feed-page.ts';
import type { Services } from '../services.ts';
import { CursorLost } from './cursor-lost.ts';

/**
 * Commits a page with its shard's place after it, or not at all (invariant 3).
 *
 * @param versions of the account's cursor and of the shard's place before the page.
 * @throws CursorLost
 */
export function commitPage(
  services: Services,
  page: FeedPage,
  versions: { readonly cursor: number; readonly shard: number },
): Promise<PageCounts> {
  const { account } = services;
  return applyUnderRules(services, async (tx, scope) => {
    const counts = await applyEvents(tx, { ...scope, events: page.events });
    const move = { cursor: versions.cursor, shard: page.shard, from: versions.shard, to: page.to };
    if ((await moveShard(tx, account.id, move)) === 'lost') throw new CursorLost();
    const notes = page.refused.map(({ reason, ...detail }) => ({ kind: reason, detail }));
    await recordJournal(tx, account.id, notes);
    return counts;
  });
}
