import type { ListedRow } from '../../namespace/change.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import { applyListed } from '../../schema/index/apply-listed.ts';
import { underLiveRules } from '../../schema/index/live-rules.ts';
import { isStorable } from '../../schema/index/storable.ts';
import type { BlobPage } from '../../schema/ports/blob-source.ts';
import { unstorableFinding } from '../causes/unstorable-finding.ts';
import { keepFindings } from '../judge/keep-findings.ts';
import type { Judging } from '../judging.ts';
import type { RunLedger, Step } from '../run/ledger.ts';
import { includes, intersect, type KeySet, keySet, keysWithPrefix } from '../scope/key-set.ts';
import type { Staging } from '../staging/staging.ts';
import { containerGoneAt } from './list-container.ts';
import type { PartKeeper } from './list-parts.ts';
import type { ListingPart, ListingParts, PartCounts } from './listing-parts.ts';

/** Names of one part that the index cannot hold are kept so far; the others are only counted. */
const MOST_UNSTORABLE = 1_000;

interface Kept {
  /** As they are committed. */
  counts: PartCounts;
  readonly unstorable: BlobPage['blobs'][number][];
}

/**
 * What is done with the pages of a listing: the rows are staged whole, to be compared with the index, and applied at once
 * where no judge has seen the account whole yet; where the index has nothing live, they are only applied. What a part added is noted with the part in the same transaction, so that it can be taken back.
 */
export class KeepParts implements PartKeeper {
  readonly #judging: Judging;
  readonly #ledger: RunLedger;
  readonly #staging: Staging;
  readonly #parts: ListingParts;
  readonly #keys: KeySet;
  readonly #signal: AbortSignal;
  readonly #kept = new Map<number, Kept>();
  #newest: Timestamp | null;

  constructor(
    {
      judging,
      ledger,
      staging,
      parts,
      keys,
    }: {
      readonly judging: Judging;
      readonly ledger: RunLedger;
      readonly staging: Staging;
      readonly parts: ListingParts;
      readonly keys: KeySet;
    },
    signal: AbortSignal,
  ) {
    this.#judging = judging;
    this.#ledger = ledger;
    this.#staging = staging;
    this.#parts = parts;
    this.#keys = keys;
    this.#signal = signal;
    this.#newest = ledger.state.to;
  }

  /** The server's time of the newest page. */
  get newest(): Timestamp | null {
    return this.#newest;
  }

  waiting(taken: readonly number[], limit: number): Promise<readonly ListingPart[]> {
    return this.#parts.waiting(this.#judging.index.db, taken, limit);
  }

  async page(part: ListingPart, { blobs, time }: BlobPage): Promise<void> {
    const { container } = part;
    this.#newest = Math.max(this.#newest ?? time, time);
    const inScope = blobs.filter(({ name }) => includes(this.#keys, { container, name }));
    if (inScope.length === 0) return;
    if (!this.#kept.has(part.part)) await this.#parts.begin(this.#judging.index.db, part);
    const kept = this.#kept.get(part.part) ?? { counts: {}, unstorable: [] };
    this.#kept.set(part.part, kept);
    const storable = inScope.filter(({ name }) => isStorable(name));
    const unstorable = inScope.filter(({ name }) => !isStorable(name));
    kept.unstorable.push(...unstorable.slice(0, MOST_UNSTORABLE - kept.unstorable.length));
    const counts = { rows: inScope.length, ...(unstorable.length > 0 && { unstorable: unstorable.length }) };
    const { keepsNames, applies } = this.#ledger.state;
    const { containerId } = part;
    if (keepsNames) {
      await this.#staging.append(
        part.part,
        storable.map(({ name, attributes }) => ({ ...attributes, containerId, name, listedAt: time })),
      );
    }
    if (applies || !keepsNames) return this.#apply(part, kept, { blobs: storable, time }, counts);
    const all = sum(kept.counts, counts);
    await this.#ledger.step(async (tx) => {
      await this.#parts.note(tx, part, all);
      return { counts };
    });
    kept.counts = all;
  }

  async done(part: ListingPart, below: readonly string[]): Promise<void> {
    const { containerId, container } = part;
    const wanted = below.filter((prefix) => this.#wants({ container, prefix }));
    const findings = (this.#kept.get(part.part)?.unstorable ?? []).map(({ name, attributes }) =>
      unstorableFinding({ container, name }, attributes),
    );
    await this.#ledger.step(async (tx): Promise<Step> => {
      await this.#parts.add(
        tx,
        wanted.map((prefix) => ({ containerId, container, prefix })),
      );
      await this.#parts.done(tx, part);
      return { counts: findings.length === 0 ? {} : await keepFindings(tx, this.#ledger, findings) };
    });
    this.#kept.delete(part.part);
  }

  async forget(part: ListingPart, how: ListingPart['how']): Promise<void> {
    await this.#ledger.step(async (tx): Promise<Step> => {
      const counts = await this.#parts.takeBack(tx, part, how);
      return { counts: Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, -count])) };
    });
    this.#kept.delete(part.part);
  }

  /** A container may go while it is listed; its own answer decides, not the listing's failure. */
  async failed({ container }: ListingPart): Promise<boolean> {
    return (await containerGoneAt(this.#judging.blobs, container, this.#signal)) !== undefined;
  }

  /** A page of List Blobs is as good as a look for a name that the index does not have. */
  async #apply(part: ListingPart, kept: Kept, { blobs, time }: BlobPage, counts: PartCounts): Promise<void> {
    const { container } = part;
    const { account } = this.#judging;
    const rows = blobs.map(({ name, attributes }): ListedRow => {
      const eventId = `run/${this.#ledger.run.id}`;
      return { kind: 'listed', container, name, found: attributes, from: time, to: time, eventId };
    });
    let all = kept.counts;
    await underLiveRules(this.#judging, (rules) =>
      this.#ledger.step(async (tx): Promise<Step> => {
        const page = { account, rules: rules.index, ruleRevision: rules.revision, rows, strong: true };
        const policy = { margin: account.margin, looks: true };
        const { unchanged: agreed, ...found } = await applyListed(tx, { ...page, policy });
        const { looks: _looks, ...made } = found;
        // What was applied stays so where the part is begun anew, and agrees then. What is staged, too, is counted when it
        // is compared.
        const { keepsNames } = this.#ledger.state;
        const back = keepsNames ? counts : { ...counts, listed: rows.length, agreed };
        all = sum(kept.counts, back);
        await this.#parts.note(tx, part, all);
        return { counts: { ...back, ...(keepsNames ? made : found) } };
      }),
    );
    kept.counts = all;
  }

  #wants({ container, prefix }: { readonly container: string; readonly prefix: string }): boolean {
    return intersect(this.#keys, keySet([keysWithPrefix(`${container}/${prefix}`)])).length > 0;
  }
}

function sum(a: PartCounts, b: PartCounts): PartCounts {
  const all: Record<string, number> = { ...a };
  for (const [name, count] of Object.entries(b)) all[name] = (all[name] ?? 0) + count;
  return all;
}
