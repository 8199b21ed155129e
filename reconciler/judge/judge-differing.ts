import type { ListedRow } from '../../namespace/change.ts';
import type { Entry } from '../../namespace/entry.ts';
import type { Difference } from '../../schema/drift/cause.ts';
import { applyListed, type ListedCounts } from '../../schema/index/apply-listed.ts';
import type { ContainerRow } from '../../schema/index/containers.ts';
import type { NewFinding } from '../../schema/index/findings.ts';
import { underLiveRules } from '../../schema/index/live-rules.ts';
import { wantLooks } from '../../schema/index/looks.ts';
import { isNews } from '../causes/cause-of.ts';
import { type FindingScope, type Found, findingOf, type IndexedVersion, indexedVersion } from '../causes/finding-of.ts';
import type { Judging } from '../judging.ts';
import type { RunLedger, Step } from '../run/ledger.ts';
import type { Staging } from '../staging/staging.ts';
import { keepFindings } from './keep-findings.ts';
import { type DifferingRow, readDiffering } from './read-differing.ts';

/** Why a difference was left as it is. */
export const NO_LOOKS_LEFT =
  'It was not looked at: the run has asked for as many looks as it may (reconcile.looksPerRun).';

/**
 * Judges the next piece of one container's rows that did not plainly agree when they were compared, in key order
 * (rule 7 of the clock), against the index as it is now: the same version fills attributes, a name that the index has
 * never heard of is taken from a page of List Blobs, and every other difference wants a look, as far as the run may
 * ask for them.
 *
 * @returns false where no row was left.
 */
export async function judgeDifferingPiece(
  judging: Judging,
  ledger: RunLedger,
  staging: Staging,
  of: { readonly container: ContainerRow & { readonly name: string }; readonly scope: FindingScope },
): Promise<boolean> {
  let left = true;
  const { container, scope } = of;
  const accountId = judging.account.id;
  const step = async (rules: Parameters<Parameters<typeof underLiveRules>[1]>[0]) =>
    ledger.step(
      async (tx): Promise<Step> => {
        await staging.assertKept(tx);
        const { after, asked, unasked, inventory } = ledger.state;
        const place = after?.container === container.id ? after : { head: '', hash: '' };
        const rows = await readDiffering(tx, staging, { accountId, container, from: scope.from, after: place });
        const last = rows.at(-1);
        left = last !== undefined;
        if (last === undefined) return {};

        const wanting = rows.filter(({ verdict }) => verdict === 'look' || verdict === 'partly');
        const most = Math.max(0, judging.federation.reconcile.looksPerRun - asked);
        const beyond = new Set(wanting.slice(most));
        const may = rows.filter((row) => !beyond.has(row));

        const findings = new Findings(scope, container);
        const byRow = new Map<ListedRow, DifferingRow>();
        for (const row of may) {
          if (!['fill', 'new', 'look'].includes(row.verdict)) continue;
          byRow.set(listedRow(row, { scope, container: container.name, run: ledger.run.id }), row);
        }
        const found = await applyListed(tx, {
          ...{ account: judging.account, rules: rules.index, ruleRevision: rules.revision },
          policy: { margin: container.margin, looks: true },
          rows: [...byRow.keys()],
          strong: inventory === null,
          became: (listed, what, entry) => {
            const row = byRow.get(listed);
            if (row !== undefined) findings.became(row, what, entry);
          },
        });
        const partly = may.filter(({ verdict }) => verdict === 'partly');
        const wanted = await wantLooks(tx, {
          accountId,
          keys: partly.map(({ name }) => ({ container: container.name, name })),
          ...{
            reason: 'listed-differs',
            ruleRevision: rules.revision,
            eventId: `run/${ledger.run.id}`,
            time: scope.from,
          },
        });
        for (const row of partly) findings.open(row, 'looking');
        for (const row of rows) if (row.verdict === 'again') findings.open(row, 'looking');
        for (const row of beyond) findings.open(row, 'open', NO_LOOKS_LEFT);

        const count = (verdict: DifferingRow['verdict']) => rows.filter((row) => row.verdict === verdict).length;
        return {
          state: {
            after: { container: container.id, head: last.head, hash: last.hash },
            asked: asked + found.looks + wanted,
            unasked: unasked + beyond.size,
          },
          counts: {
            ...(await keepFindings(tx, ledger, findings.found)),
            agreed: count('agreed') + found.unchanged,
            newer: count('newer'),
            filled: found.filled,
            applied: found.applied,
            looks: found.looks + wanted + count('due') + count('again'),
          },
        };
      },
      { byKey: true },
    );
  await underLiveRules(judging, step);
  return left;
}

/** The findings of one piece. */
class Findings {
  readonly found: NewFinding[] = [];
  readonly #scope: FindingScope;
  readonly #container: ContainerRow & { readonly name: string };

  constructor(scope: FindingScope, container: ContainerRow & { readonly name: string }) {
    this.#scope = scope;
    this.#container = container;
  }

  /** A difference that is not settled now. */
  open(row: DifferingRow, state: Found['state'], note?: string): void {
    this.#add(row, row.entry, { difference: differenceOf(row, row.entry), state, note });
  }

  /** What the index made of a row. Attributes that were merely not known are no finding. */
  became(row: DifferingRow, what: keyof ListedCounts, entry: Entry | undefined): void {
    const index = entry && indexedVersion(entry);
    if (what === 'looks') this.#add(row, index, { difference: differenceOf(row, index), state: 'looking' });
    else if (what === 'applied' || (what === 'filled' && index === undefined)) {
      const after = { ...row.seen, live: true, seen: row.listedAt ?? this.#scope.from, told: false };
      this.#add(row, undefined, { difference: 'not-indexed', state: 'repaired', after });
    } else if (what === 'filled' && isNews(row.seen.metadata, index?.metadata)) {
      this.#add(row, index, { difference: 'other-attributes', state: 'repaired' });
    }
  }

  #add(
    row: DifferingRow,
    index: IndexedVersion | undefined,
    as: Pick<Found, 'difference' | 'state' | 'after' | 'note'>,
  ): void {
    const key = { container: this.#container.name, name: row.name };
    this.found.push(findingOf(this.#scope, { ...as, key, judge: row.seen, index, container: this.#container }));
  }
}

function differenceOf({ seen }: DifferingRow, index: IndexedVersion | undefined): Exclude<Difference, 'sink'> {
  if (index?.live !== true) return 'not-indexed';
  return seen.etag !== undefined && seen.etag === index.etag ? 'other-attributes' : 'other-version';
}

function listedRow(
  { name, seen, listedAt }: DifferingRow,
  of: { readonly scope: FindingScope; readonly container: string; readonly run: number },
): ListedRow {
  const found = { ...seen, etag: seen.etag ?? '', length: seen.length ?? 0 };
  const times = { from: listedAt ?? of.scope.from, to: listedAt ?? of.scope.to };
  return { kind: 'listed', container: of.container, name, found, ...times, eventId: `run/${of.run}` };
}
