import type { ListedRow } from '../../namespace/change.ts';
import { decide } from '../../namespace/decide.ts';
import { underGoneDirectory } from '../../namespace/decide-subtree.ts';
import type { ClockPolicy, Decision } from '../../namespace/decision.ts';
import type { Entry } from '../../namespace/entry.ts';
import { compareKeys } from '../../namespace/key.ts';
import type { Rule } from '../../namespace/rule.ts';
import { holdAccount } from './accounts.ts';
import { type ContainerRow, ensureContainers } from './containers.ts';
import type { Tx } from './database.ts';
import { goneDirectories } from './gone-directories.ts';
import { recordJournal } from './journal.ts';
import type { PageScope } from './page.ts';
import { marker, type PageRow, pageKey } from './page-rows.ts';
import { type Decided, writeDecided } from './page-writer.ts';
import { readLeft } from './read-left.ts';
import { ensureSinks } from './sinks.ts';
import { isStorableKey } from './storable.ts';
import { upsertPage } from './upsert-page.ts';

export interface ListedCounts {
  /** Entries whose attributes were filled. */
  readonly filled: number;
  /** Entries made from the row itself (strong listings only). */
  readonly applied: number;
  readonly looks: number;
  /** Agreed, or of no rule, or older than their entry. */
  readonly unchanged: number;
}

export interface ListedPage extends PageScope {
  readonly rows: readonly ListedRow[];
  /**
   * A page of List Blobs, which is as good as a look for a name that has no entry. Rows of a report, a smear
   * over hours, only fill attributes and queue looks.
   */
  readonly strong: boolean;
  /** Told what became of each row that a rule admits, with the entry that it met. */
  readonly became?: ((row: ListedRow, what: keyof ListedCounts, entry: Entry | undefined) => void) | undefined;
}

interface Listed {
  readonly row: ListedRow;
  readonly rule: Rule;
  readonly container: ContainerRow;
}

/** Applies rows of a listing. Never a delete (invariant 7): absence is the reconciler's to find, and a look's to confirm. */
export async function applyListed(tx: Tx, page: ListedPage): Promise<ListedCounts> {
  const { account, ruleRevision } = page;
  const { clock } = await holdAccount(tx, account.id, ruleRevision);
  const policy: ClockPolicy = { ...page.policy, ...clock };
  const admitted = await admit(tx, page, policy);
  const sinks = await ensureSinks(tx, account.id, [...new Set(admitted.map(({ rule }) => rule.sink))]);
  const decideRow = ({ row, rule, container }: Listed, entry: Entry | undefined) =>
    entry === undefined && page.strong
      ? decide(undefined, asLook(row), container, rule, policy, ruleRevision)
      : decide(entry, row, container, rule, policy, ruleRevision);

  const rows: PageRow[] = admitted.map((listed) => {
    const { row, rule, container } = listed;
    const key = { ...pageKey(container.id, row.name), sinkId: sinks.get(rule.sink) };
    const made = page.strong ? decideRow(listed, undefined) : undefined;
    return { ...key, entry: made?.outcome === 'apply' && !made.next.lookDue ? made.next : marker(row) };
  });

  const applied = await upsertPage(tx, account.id, rows, policy);
  const decisions: Decision[] = [];
  const decided: Decided[] = [];
  const left = applied === rows.length ? [] : await readLeft(tx, account.id, rows, policy);
  for (const { at, entry: before } of left) {
    const listed = admitted[at];
    const row = rows[at];
    if (listed === undefined || row === undefined) continue;
    const decision = decideRow(listed, before);
    decisions.push(decision);
    const next = decision.outcome === 'apply' || decision.outcome === 'look' ? decision.next : before;
    const wanted = decision.outcome === 'look' ? decision.reason : undefined;
    decided.push({ ...row, before, next, container: listed.container, wanted });
    page.became?.(listed.row, becameOf(decision), before);
  }
  if (page.became !== undefined && applied > 0) {
    const met = new Set(left.map(({ at }) => at));
    for (const [at, { row }] of admitted.entries()) if (!met.has(at)) page.became(row, 'applied', undefined);
  }
  await writeDecided(tx, account.id, decided, policy.margin);

  const filled = decisions.filter(({ outcome }) => outcome === 'apply').length;
  const looks = decisions.filter(({ outcome }) => outcome === 'look').length;
  return { filled, applied, looks, unchanged: page.rows.length - applied - filled - looks };
}

function becameOf({ outcome }: Decision): keyof ListedCounts {
  return outcome === 'apply' ? 'filled' : outcome === 'look' ? 'looks' : 'unchanged';
}

/** The rows that Blob's authority lets in, in key order, each name once. */
async function admit(tx: Tx, page: ListedPage, policy: ClockPolicy): Promise<readonly Listed[]> {
  const sorted = page.rows.toSorted(compareKeys).filter((row, at, all) => {
    const before = all[at - 1];
    return before === undefined || compareKeys(before, row) !== 0;
  });
  const ruled: { readonly row: ListedRow; readonly rule: Rule }[] = [];
  const unstorable: ListedRow[] = [];
  for (const row of sorted) {
    const rule = page.rules.match(row);
    if (rule?.authority !== 'blob') continue;
    if (isStorableKey(row)) ruled.push({ row, rule });
    else unstorable.push(row);
  }
  const names = [...new Set(ruled.map(({ row }) => row.container))];
  const containers = await ensureContainers(tx, page.account.id, names);
  await recordJournal(
    tx,
    page.account.id,
    unstorable.map(({ container, name, eventId, found }) => ({
      kind: 'unstorable-name',
      container,
      name,
      detail: { source: 'listing', eventId, etag: found.etag },
    })),
  );
  const told = ruled.map(({ row }) => ({ container: row.container, name: row.name, time: row.to }));
  const gone = await goneDirectories(tx, page.account.id, told, policy.margin);
  return ruled.flatMap(({ row, rule }) => {
    const container = containers.get(row.container);
    return container === undefined ? [] : [{ row, rule, container: underGoneDirectory(container, gone(row)) }];
  });
}

function asLook({ container, name, found, from, eventId }: ListedRow) {
  return { kind: 'look', container, name, found, time: from, entryRevision: 0, eventId } as const;
}
