import { endOfSkip } from '../../schema/index/feed-skips.ts';
import type { LeftOut } from '../azure/feed-shard.ts';
import type { Services } from '../services.ts';

/**
 * What was skipped stays skipped, for a tail that was rewound as well as for a replay: nobody has to say twice what is
 * to become of one block. Asked only where the feed would stop.
 */
export function leftOutOf({ account, index }: Pick<Services, 'account' | 'index'>): LeftOut {
  return (path, offset) => endOfSkip(index.db, account.id, path, offset);
}
