import type { ListedRow } from '../../namespace/change.ts';
import { compareUtf8 } from '../../namespace/key.ts';
import type { Rule } from '../../namespace/rule.ts';
import { applyListed } from '../../schema/index/apply-listed.ts';
import { liveRules } from '../../schema/index/authority-revisions.ts';
import { listContainers, noteContainerGone } from '../../schema/index/containers.ts';
import { underLiveRules } from '../../schema/index/live-rules.ts';
import { isStorable } from '../../schema/index/storable.ts';
import { transact } from '../../schema/index/transact.ts';
import type { BlobPage } from '../../schema/ports/blob-source.ts';
import type { Judging } from '../judging.ts';
import { ContainerIds } from '../run/containers.ts';
import type { RunLedger } from '../run/ledger.ts';
import { judgedKeys } from '../scope/judged-keys.ts';
import { type KeySet, namesWithin } from '../scope/key-set.ts';
import { type Staging, StagingLost } from '../staging/staging.ts';
import { holdsLive } from './holds-live.ts';
import { containerGoneAt, listContainer } from './list-container.ts';
import { listingPrefixes } from './listing-prefixes.ts';

interface Listing {
  readonly prefixes: readonly string[];
  readonly keys: KeySet;
}

/**
 * Lists the account, container by container, and applies each page as it comes: a page of List Blobs is as
 * good as a look for a name that the index does not have. An attempt that died goes on at the container that
 * it was in.
 *
 * The feed needs no pin before a bootstrap: a feed without a cursor is read from its beginning, so nothing
 * that happens while this lists can be missed, and what is older changes nothing.
 */
export async function stageListing(
  judging: Judging,
  ledger: RunLedger,
  staging: Staging,
  signal: AbortSignal,
): Promise<void> {
  const rules: readonly Rule[] = (await liveRules(judging.index.db, judging.account.id))?.rules ?? [];
  const { prefix } = ledger.run;
  const scope = { prefixes: listingPrefixes(rules, prefix), keys: judgedKeys(rules, prefix) };
  const ids = new ContainerIds(judging.index, judging.account.id);
  const there = new Set<string>();
  const resumedFrom = ledger.state.listedTo;
  for await (const page of judging.blobs.listContainers(signal)) {
    if (ledger.state.from === null) await ledger.step(async () => ({ state: { from: page.time, to: page.time } }));
    for (const container of page.containers) {
      signal.throwIfAborted();
      there.add(container);
      const done = compareUtf8(container, resumedFrom) <= 0;
      if (done || namesWithin(scope.keys, container).length === 0) continue;
      await stageContainer(judging, ledger, staging, { container, ids, scope }, signal);
    }
  }
  await askMissingContainers(judging, there, scope.keys, signal);
  if (!ledger.state.keepsNames) return;
  const staged = [...(await staging.countByContainer()).values()].reduce((sum, rows) => sum + rows, 0);
  if (staged !== ledger.state.stagedRows) throw new StagingLost();
}

async function stageContainer(
  judging: Judging,
  ledger: RunLedger,
  staging: Staging,
  of: { readonly container: string; readonly ids: ContainerIds; readonly scope: Listing },
  signal: AbortSignal,
): Promise<void> {
  const { container } = of;
  const containerId = (await of.ids.of([container]))(container);
  if (ledger.state.partRows + ledger.state.partListed > 0) {
    await staging.forgetPart(containerId);
    const { partListed, partAgreed } = ledger.state;
    await ledger.step(async () => ({
      state: { partRows: 0, partListed: 0, partAgreed: 0 },
      counts: { listed: -partListed, rows: -partListed, agreed: -partAgreed },
    }));
  }
  try {
    for await (const page of listContainer(judging.blobs, container, of.scope, signal)) {
      await stagePage(judging, ledger, staging, { container, containerId, page });
    }
  } catch (error) {
    // A container may go while it is listed; its own answer decides, not the listing's failure.
    const gone = signal.aborted ? undefined : await containerGoneAt(judging.blobs, container, signal);
    if (gone === undefined) throw error;
    await transact(judging.index, (tx) => noteContainerGone(tx, judging.account.id, container, gone));
  }
  const { stagedRows, partRows } = ledger.state;
  await ledger.step(async () => ({
    state: { listedTo: container, stagedRows: stagedRows + partRows, partRows: 0, partListed: 0, partAgreed: 0 },
  }));
}

async function stagePage(
  judging: Judging,
  ledger: RunLedger,
  staging: Staging,
  of: { readonly container: string; readonly containerId: number; readonly page: BlobPage },
): Promise<void> {
  const { container, containerId, page } = of;
  const kept = page.blobs.filter(({ name }) => isStorable(name));
  if (kept.length === 0) return;
  const { keepsNames, partRows, partListed, partAgreed } = ledger.state;
  // Staged first: a name that is staged and not applied is merely not absent.
  if (keepsNames) {
    await ledger.step(async () => ({ state: { partRows: partRows + kept.length } }));
    await staging.append(
      containerId,
      kept.map(({ name }) => ({ containerId, name })),
    );
  }
  const rows = kept.map(({ name, attributes }): ListedRow => {
    return {
      ...{ kind: 'listed', container, name, found: attributes },
      ...{ from: page.time, to: page.time, eventId: `run/${ledger.run.id}` },
    };
  });
  await underLiveRules(judging, (rules) =>
    ledger.step(async (tx) => {
      const applied = await applyListed(tx, {
        account: judging.account,
        rules: rules.index,
        ruleRevision: rules.revision,
        policy: { margin: judging.account.margin, looks: true },
        rows,
        strong: true,
      });
      const { unchanged, ...found } = applied;
      return {
        state: { partListed: partListed + rows.length, partAgreed: partAgreed + unchanged },
        counts: { rows: rows.length, listed: rows.length, agreed: unchanged, ...found },
      };
    }),
  );
}

/** Containers that the index has and the listing lacks are asked themselves: only their own 404 says that they are gone. */
async function askMissingContainers(
  judging: Judging,
  there: ReadonlySet<string>,
  keys: KeySet,
  signal: AbortSignal,
): Promise<void> {
  for (const { id, name } of await listContainers(judging.index.db, judging.account.id)) {
    if (there.has(name) || namesWithin(keys, name).length === 0) continue;
    if (!(await holdsLive(judging, id))) continue;
    const gone = await containerGoneAt(judging.blobs, name, signal);
    if (gone !== undefined)
      await transact(judging.index, (tx) => noteContainerGone(tx, judging.account.id, name, gone));
  }
}
