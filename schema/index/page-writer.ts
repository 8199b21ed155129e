import type { ContainerState } from '../../namespace/container.ts';
import type { Entry } from '../../namespace/entry.ts';
import type { Tx } from './database.ts';
import { type QueuedLook, queueLooks, unqueueLooks } from './look-queue.ts';
import type { PageKey } from './page-rows.ts';
import { type EntryChange, removeMarkers, writeEntries } from './write-entries.ts';

/** What deciding one key ended with. `next` is `before` itself where nothing was decided. */
export interface Decided extends PageKey {
  readonly before: Entry | undefined;
  readonly next: Entry | undefined;
  readonly container: ContainerState;
  readonly sinkId: number | undefined;
  /** Why the last look was wanted; undefined where none was. */
  readonly wanted: string | undefined;
  /** Not to be asked before so many milliseconds have passed. @default 0 */
  readonly wantedInMs?: number | undefined;
}

/** Writes what was decided one by one: entries, markers that stayed empty, looks that are wanted or no longer due. In key order. */
export async function writeDecided(
  tx: Tx,
  accountId: number,
  decided: readonly Decided[],
  margin: number,
): Promise<void> {
  const changes: EntryChange[] = [];
  const markers: PageKey[] = [];
  const wanted: QueuedLook[] = [];
  const answered: PageKey[] = [];
  for (const { before, next, wanted: reason, wantedInMs, ...key } of decided) {
    if (next === undefined) {
      markers.push(key);
      continue;
    }
    if (next === before) continue;
    changes.push({ ...key, before, next });
    if (next.lookDue && reason !== undefined) wanted.push({ ...key, reason, inMs: wantedInMs ?? 0 });
    else if (before?.lookDue === true && !next.lookDue) answered.push(key);
  }
  await writeEntries(tx, accountId, changes, margin);
  await removeMarkers(tx, accountId, markers);
  await queueLooks(tx, accountId, wanted);
  await unqueueLooks(tx, accountId, answered);
}
