import { listContainers } from '../../schema/index/containers.ts';
import type { Judging } from '../judging.ts';
import { containerGoneAt } from '../listing/list-container.ts';
import type { RunLedger } from '../run/ledger.ts';
import type { Tally } from './tally.ts';

/**
 * A container of which the judge lists nothing may be empty or gone. Its own answer tells, instead of one look for
 * each of its names. It is only noted with the run: that the container is gone deletes all of its names at once, so
 * it is believed once the percent stop has let it pass, and then asked again.
 */
export async function askAbsentContainers(
  judging: Judging,
  ledger: RunLedger,
  tallies: ReadonlyMap<number, Tally>,
  signal: AbortSignal,
): Promise<void> {
  const gone: number[] = [];
  for (const { id, name } of await listContainers(judging.index.db, judging.account.id)) {
    const tally = tallies.get(id);
    if (tally === undefined || tally.listed > 0 || tally.missing === 0) continue;
    signal.throwIfAborted();
    if ((await containerGoneAt(judging.blobs, name, signal)) !== undefined) gone.push(id);
  }
  if (gone.length > 0) await ledger.step(async () => ({ state: { goneContainers: gone } }));
}
