import { listContainers } from '../../schema/index/containers.ts';
import { serverTime } from '../run/server-time.ts';
import { StagingLost } from '../staging/staging.ts';
import { type JudgedFile, judgedFiles } from './judged-files.ts';
import type { JudgedSink, SinkJudging } from './sink-judging.ts';
import type { SinkLedger } from './sink-ledger.ts';
import type { SinkStaging } from './sink-staging.ts';

/** Files that are copied by one statement: a statement for the whole walk would hold back vacuum for its hours. */
const BATCH = 10_000;

/**
 * The phase `walk`: every file of the sink that is Isthmus's business is staged. A walk has no place to go on from, so
 * an attempt that died begins anew. Ends in `compare`.
 */
export async function stageSink(
  judging: SinkJudging,
  judged: JudgedSink,
  ledger: SinkLedger,
  staging: SinkStaging,
  signal: AbortSignal,
): Promise<void> {
  const { index, account } = judging;
  await staging.create();
  const from = await serverTime(index.db);
  await ledger.step(async () => ({ state: { from, walked: 0 } }));
  const containers = new Map((await listContainers(index.db, account.id)).map(({ name, id }) => [name, id]));
  const counts = { files: 0, foreign: 0, suspects: 0 };
  const client = await index.pool.connect();
  try {
    const copy = async (batch: readonly JudgedFile[]) => {
      const known = batch.flatMap((each) => {
        const containerId = containers.get(each.file.key.container);
        return containerId === undefined ? [] : [{ ...each, containerId }];
      });
      await staging.append(client, known);
      const unknown = batch.filter(({ file }) => !containers.has(file.key.container));
      await staging.suspect(
        index.db,
        unknown.map(({ file }) => file.key),
      );
      counts.files += batch.length;
      counts.foreign += batch.filter(({ file }) => file.state === 'foreign').length;
      counts.suspects += unknown.length;
      await ledger.step(async () => ({ state: { walked: counts.files } }));
    };
    let batch: JudgedFile[] = [];
    const { index: match } = await judging.rules();
    for await (const file of judgedFiles(judged, match, '', signal)) {
      batch.push(file);
      if (batch.length < BATCH) continue;
      await copy(batch);
      batch = [];
    }
    await copy(batch);
    client.release();
  } catch (error) {
    // A connection that failed in mid-copy is not used again.
    client.release(true);
    throw error;
  }
  // Another attempt that was taken for dead may have gone on a little.
  if ((await staging.countFiles()) !== counts.files) throw new StagingLost();
  await staging.analyze();
  await ledger.step(async () => ({ state: { phase: 'compare' }, counts }));
}
