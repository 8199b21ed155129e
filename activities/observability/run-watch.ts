import type { Timestamp } from '../../namespace/entry.ts';
import { currentRuns } from '../../schema/drift/current-runs.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import type { Queryable } from '../../schema/index/database.ts';
import { countFindings, type FindingCount } from '../../schema/index/findings.ts';
import { readRunStanding, type SeenRun } from '../../schema/index/run-standing.ts';
import type { SourceRow } from '../../schema/index/sources.ts';
import { type JudgeHead, judgeRuns } from './judge-runs.ts';
import type { LoopPauses } from './loop-pause.ts';
import { wantedJudges } from './wanted-judges.ts';

/** An undo changes findings of a run that has ended: they are counted again now and then. */
const COUNTED_FOR_MS = 300_000;

/**
 * Watches who judges. Kept between glances is how many findings a run has: counting 100,000 takes Postgres 30 ms, and
 * those of a run that has judged hardly change.
 */
export class RunWatch {
  readonly #federation: Federation;
  readonly #counted = new Map<string, { readonly at: Timestamp; readonly counts: readonly FindingCount[] }>();

  constructor(federation: Federation) {
    this.#federation = federation;
  }

  /** @param inventory what the inventory's reader last said. */
  async glance(
    on: Queryable,
    accountId: number,
    now: Timestamp,
    { inventory, pauses }: { readonly inventory: SourceRow | undefined; readonly pauses: LoopPauses },
  ): Promise<readonly JudgeHead[]> {
    const standing = await readRunStanding(on, accountId);
    const findings = await this.#count(on, currentRuns(standing.runs), now);
    return judgeRuns({
      ...{ now, standing, findings, pauses, wanted: wantedJudges(this.#federation) },
      driftLimit: this.#federation.reconcile.driftLimit,
      noReport: inventory?.state === 'waiting' ? inventory.reason : undefined,
      unusable: inventory && unusableOf(inventory),
    });
  }

  async #count(
    on: Queryable,
    runs: readonly SeenRun[],
    now: Timestamp,
  ): Promise<ReadonlyMap<number, readonly FindingCount[]>> {
    const findings = new Map<number, readonly FindingCount[]>();
    const known = new Set<string>();
    for (const { id, outcome, movedAt } of runs) {
      const key = `${id} ${outcome} ${movedAt}`;
      known.add(key);
      let counted = this.#counted.get(key);
      if (counted === undefined || now - counted.at > COUNTED_FOR_MS) {
        counted = { at: now, counts: await countFindings(on, id) };
        this.#counted.set(key, counted);
      }
      findings.set(id, counted.counts);
    }
    for (const key of this.#counted.keys()) if (!known.has(key)) this.#counted.delete(key);
    return findings;
  }
}

/** As `wantReconcile` writes it down; who judges a report takes it away. */
function unusableOf({ detail }: SourceRow): string | undefined {
  const unusable = (detail as { readonly unusable?: unknown } | undefined)?.unusable;
  return typeof unusable === 'string' ? unusable : undefined;
}
