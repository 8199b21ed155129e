import { revisionsSince } from '../../schema/index/authority-revisions.ts';
import { listContainers } from '../../schema/index/containers.ts';
import type { Judging } from '../judging.ts';
import { allEnded } from '../run/all-ended.ts';
import { LONG_STATEMENT_MS, type RunLedger } from '../run/ledger.ts';
import { judgedKeys } from '../scope/judged-keys.ts';
import { ALL_KEYS, intersect, namesWithin } from '../scope/key-set.ts';
import type { Pair } from '../staging/partitions.ts';
import type { Staging } from '../staging/staging.ts';
import { comparePair } from './compare-pair.ts';
import type { JudgedContainer } from './judged-container.ts';

/** Pairs that are compared at once. */
const AT_ONCE = 2;
/** Rules that were published while one judge was staged. */
const MOST_REVISIONS = 1_000;

/**
 * The phase `compare`: holds what the judge listed against the index, partition by partition, each in one
 * transaction that nothing waits for. Rows that do not plainly agree are in `differing` after it, live names that
 * should have been listed in `missing`, numbers of each container in `tally`. An attempt that died leaves the
 * partitions that it finished. Ends in `present`.
 */
export async function compareRun(
  judging: Judging,
  ledger: RunLedger,
  staging: Staging,
  signal: AbortSignal,
): Promise<void> {
  const containers = await judgedContainers(judging, ledger);
  const pairs = await staging.pairs();
  await ledger.step(async () => ({ state: { partitions: pairs.length } }));
  const left = pairs.filter(({ name }) => !ledger.state.compared.includes(name));
  const lane = async (stop: AbortSignal) => {
    for (let pair = left.shift(); pair !== undefined; pair = left.shift()) {
      stop.throwIfAborted();
      await compareOne(judging, ledger, staging, { pair, containers });
    }
  };
  await allEnded(AT_ONCE, lane, signal);
  await staging.seal();
  await ledger.step(async () => ({ state: { phase: 'present' } }));
}

async function compareOne(
  judging: Judging,
  ledger: RunLedger,
  staging: Staging,
  of: { readonly pair: Pair; readonly containers: readonly JudgedContainer[] },
): Promise<void> {
  const { from, inventory } = ledger.state;
  if (from === null) return;
  await ledger.step(
    async (tx) => {
      await staging.assertKept(tx);
      const found = await comparePair(tx, staging, {
        ...of,
        accountId: judging.account.id,
        before: from - judging.account.margin,
        blobTypes: inventory?.filters.blobTypes ?? [],
        // A report of the blobs that were made of late says nothing of the others.
        absence: inventory?.filters.createdInLastDays === undefined,
      });
      const { listed, agreed, live, missing } = found;
      return {
        state: ({ compared }) => ({ compared: [...compared, of.pair.name] }),
        counts: { listed, agreed, live, missing },
      };
    },
    { statementMs: LONG_STATEMENT_MS },
  );
}

/**
 * The names that were judged by all rules that were live since the run began: what a rule that came later lets in
 * was left out when the judge was staged, and is not missing for that.
 */
async function judgedContainers(judging: Judging, ledger: RunLedger): Promise<readonly JudgedContainer[]> {
  const { startedAt, prefix } = ledger.run;
  const revisions = await revisionsSince(judging.index.db, judging.account.id, startedAt, MOST_REVISIONS);
  const scope = revisions
    .map(({ rules }) => judgedKeys(rules, prefix, ledger.state.inventory?.filters))
    .reduce(intersect, revisions.length === 0 ? [] : ALL_KEYS);
  return (await listContainers(judging.index.db, judging.account.id))
    .map((container): JudgedContainer => ({ ...container, ranges: namesWithin(scope, container.name) }))
    .filter((container) => container.ranges.length > 0);
}
