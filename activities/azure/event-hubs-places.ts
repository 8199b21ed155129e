import type { Index } from '../../schema/index/database.ts';
import { forgetHubPlace, readHubPartitions } from '../../schema/index/event-hub-partitions.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import { transact } from '../../schema/index/transact.ts';
import type { EventHubsBacklog } from './event-hubs-backlog.ts';

/**
 * Forgets places that are behind the end of their partitions: the hub was made anew under its name, and would refuse
 * every reader that begins there, for ever. Its oldest event is read first then, which is written down.
 */
export async function forgetStrangePlaces(
  index: Index,
  accountId: number,
  backlog: Pick<EventHubsBacklog, 'hub' | 'heads'>,
  signal: AbortSignal,
): Promise<void> {
  const { hub } = backlog;
  const kept = await readHubPartitions(index.db, accountId, hub);
  if (kept.every(({ place }) => place === undefined)) return;
  for (const { partition, last } of await backlog.heads(signal)) {
    const place = kept.find((each) => each.partition === partition)?.place;
    if (place === undefined || place.sequence <= last) continue;
    await transact(index, async (tx) => {
      if (!(await forgetHubPlace(tx, accountId, hub, { partition, from: place.sequence }))) return;
      const detail = { ...hub, partition, place, last };
      await recordJournal(tx, accountId, [{ kind: 'event-hub-made-anew', detail }]);
    });
  }
}
