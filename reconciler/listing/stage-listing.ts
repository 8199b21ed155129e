import type { Rule } from '../../namespace/rule.ts';
import { assert } from '../../schema/errors.ts';
import { liveRules } from '../../schema/index/authority-revisions.ts';
import { runBefore } from '../../schema/index/runs.ts';
import type { Judging } from '../judging.ts';
import { ContainerIds } from '../run/containers.ts';
import { LONG_STATEMENT_MS, type RunLedger } from '../run/ledger.ts';
import { judgedKeys } from '../scope/judged-keys.ts';
import { type KeySet, namesWithin } from '../scope/key-set.ts';
import type { Staging } from '../staging/staging.ts';
import { KeepParts } from './keep-parts.ts';
import { DEFAULT_LANES, type Lanes, listParts } from './list-parts.ts';
import { ListingParts, type NewPart } from './listing-parts.ts';
import { listingPrefixes, namePrefixes } from './listing-prefixes.ts';

/**
 * Lists the account, containers and their directories side by side, and stages what it lists; where the index has
 * nothing live, each page is applied as it comes. An attempt that died goes on with the parts that were not done.
 *
 * The feed needs no pin before a bootstrap: a feed without a cursor is read from its beginning, so nothing
 * that happens while this lists can be missed, and what is older changes nothing.
 */
export async function stageListing(
  judging: Judging,
  ledger: RunLedger,
  staging: Staging,
  signal: AbortSignal,
  lanes: Lanes = DEFAULT_LANES,
): Promise<void> {
  const rules: readonly Rule[] = (await liveRules(judging.index.db, judging.account.id))?.rules ?? [];
  const { prefix, id } = ledger.run;
  const keys = judgedKeys(rules, prefix);
  const parts = new ListingParts(id);
  await begin(judging, ledger, parts, { prefixes: listingPrefixes(rules, prefix), keys }, signal);
  const keeper = new KeepParts({ judging, ledger, staging, parts, keys }, signal);
  for (const part of await parts.begun(judging.index.db)) await keeper.forget(part, part.how);
  await listParts(judging.blobs, keeper, lanes, signal);
  await staging.assertKept(judging.index.db);
  await ledger.step(
    async (tx) => {
      // A listing that is short must never pass for whole (invariant 7).
      assert((await parts.waiting(tx, [], 1)).length === 0, `run ${id} has parts that were not listed`);
      await staging.forgetParts(tx, await parts.forgotten(tx));
      await parts.clear(tx);
      return { state: { to: keeper.newest } };
    },
    { statementMs: LONG_STATEMENT_MS },
  );
}

/** Lists the containers, and makes the parts of a listing that has none yet. */
async function begin(
  judging: Judging,
  ledger: RunLedger,
  parts: ListingParts,
  scope: { readonly prefixes: readonly string[]; readonly keys: KeySet },
  signal: AbortSignal,
): Promise<void> {
  const ids = new ContainerIds(judging.index, judging.account.id);
  const first: NewPart[] = [];
  let from: number | undefined;
  for await (const page of judging.blobs.listContainers(signal)) {
    signal.throwIfAborted();
    from ??= page.time;
    const judged = page.containers.filter((container) => namesWithin(scope.keys, container).length > 0);
    const idOf = await ids.of(judged);
    for (const container of judged) {
      for (const prefix of namePrefixes(scope.prefixes, container)) {
        first.push({ containerId: idOf(container), container, prefix });
      }
    }
  }
  if (ledger.state.from === null && from !== undefined) {
    await ledger.step(async (tx) => {
      await parts.clear(tx);
      await parts.add(tx, first);
      return { state: { from, to: from, previousRun: (await runBefore(tx, ledger.run)) ?? null } };
    });
  }
}
