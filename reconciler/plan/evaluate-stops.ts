import { sql } from 'kysely';
import type { DeleteStop, Rule } from '../../namespace/rule.ts';
import { type ContainerRow, listContainers } from '../../schema/index/containers.ts';
import type { Queryable } from '../../schema/index/database.ts';
import { isDeadSql, lives } from '../../schema/index/lives.ts';
import type { Judging } from '../judging.ts';
import type { RunLedger } from '../run/ledger.ts';
import { judgedKeys } from '../scope/judged-keys.ts';
import { intersect, type KeySet, type NameRange, namesWithin } from '../scope/key-set.ts';
import { inRanges } from '../scope/range-sql.ts';
import { ruleScope } from '../scope/rules-scope.ts';
import { listsNothing, nothingListed, type ShareOfNames, type Tripped, trippedBecause, trips } from './stop.ts';
import type { Tally } from './tally.ts';

/** Shares, and reasons, that are kept with a run; the largest first. */
const MOST_KEPT = 20;

/** Names of a container that is gone, counted no further. */
const MOST_COUNTED = 1_000_000;
const WHOLE: readonly NameRange[] = [{ from: '', to: undefined }];

/** What the percent stops of a run say. */
export interface StopsOfRun {
  /** Of what most is missing, for people. */
  readonly shares: readonly ShareOfNames[];
  /** Why the run must not delete by itself, each in a sentence; none where no stop tripped. */
  readonly tripped: readonly string[];
}

type Named = ContainerRow & { readonly name: string };

/**
 * Asks the percent stops (invariant 7), of everything that is judged, of each container and of each rule. A rule may
 * have its own; what it rules is counted only where it lacks so many names that its stop may trip.
 */
export async function evaluateStops(
  judging: Judging,
  ledger: RunLedger,
  of: { readonly rules: readonly Rule[]; readonly tallies: ReadonlyMap<number, Tally> },
): Promise<StopsOfRun> {
  const { stop } = judging.federation.reconcile;
  const { prefix } = ledger.run;
  const containers = await listContainers(judging.index.db, judging.account.id);
  const all = total(of.tallies);
  const shares: (Tripped & { readonly share: ShareOfNames })[] = [{ share: { of: 'all', ...all }, stop }];
  for (const container of containers) {
    const { id, name } = container;
    const tally = of.tallies.get(id);
    if (tally === undefined || tally.missing === 0) continue;
    // Its own end is that of all of its names, however few of them are judged.
    const whole = ledger.state.goneContainers.includes(id)
      ? await countLive(judging.index.db, judging.account.id, { container, ranges: WHOLE, most: MOST_COUNTED })
      : 0;
    const share =
      whole > tally.missing ? { live: whole, missing: whole } : { live: tally.live, missing: tally.missing };
    shares.push({ share: { of: 'container', name, ...share }, stop });
  }
  for (const [rulePrefix, missing] of Object.entries(ledger.state.missingByRule)) {
    const rule = of.rules.find((each) => each.prefix === rulePrefix);
    const ruleStop = rule?.stop ?? stop;
    if (rule === undefined || missing <= ruleStop.names) continue;
    const live = await liveOfRule(judging, ledger, { ...of, rule, missing, stop: ruleStop, containers });
    // What did not trip was not counted to its end.
    const share: ShareOfNames = { of: 'rule', prefix: rulePrefix, live, missing };
    if (trips(share, ruleStop)) shares.push({ share, stop: ruleStop });
  }
  const sorted = shares.toSorted((one, other) => other.share.missing - one.share.missing);
  const tripped = sorted.filter(({ share, stop: bound }) => trips(share, bound)).map(trippedBecause);
  // Rows of whatever kind: a report may list much that its run does not judge.
  if (listsNothing({ ...all, listed: ledger.counts.rows, prefix }, stop)) tripped.unshift(nothingListed(all.live));
  return { shares: sorted.slice(0, MOST_KEPT).map(({ share }) => share), tripped: tripped.slice(0, MOST_KEPT) };
}

function total(tallies: ReadonlyMap<number, Tally>): Tally {
  const all = { listed: 0, live: 0, missing: 0 };
  for (const { listed, live, missing } of tallies.values()) {
    all.listed += listed;
    all.live += live;
    all.missing += missing;
  }
  return all;
}

/**
 * Live names that this rule rules and the run may judge, counted no further than they could trip its stop. What
 * covers all that is judged of a container was counted when it was compared.
 */
async function liveOfRule(
  judging: Judging,
  ledger: RunLedger,
  of: {
    readonly rules: readonly Rule[];
    readonly tallies: ReadonlyMap<number, Tally>;
    readonly rule: Rule;
    readonly missing: number;
    readonly stop: DeleteStop;
    readonly containers: readonly Named[];
  },
): Promise<number> {
  const scope = judgedKeys(of.rules, ledger.run.prefix, ledger.state.inventory?.filters);
  const ruled: KeySet = intersect(scope, ruleScope(of.rules, of.rule));
  const most = of.stop.percent === 0 ? of.missing : Math.ceil((of.missing * 100) / of.stop.percent);
  let live = 0;
  for (const container of of.containers) {
    if (live >= most) break;
    const ranges = namesWithin(ruled, container.name);
    if (ranges.length === 0) continue;
    const judged = namesWithin(scope, container.name);
    const covers = JSON.stringify(ranges) === JSON.stringify(judged);
    live += covers
      ? (of.tallies.get(container.id)?.live ?? 0)
      : await countLive(judging.index.db, judging.account.id, { container, ranges, most: most - live });
  }
  return live;
}

async function countLive(
  on: Queryable,
  accountId: number,
  of: { readonly container: ContainerRow; readonly ranges: readonly NameRange[]; readonly most: number },
): Promise<number> {
  const { rows } = await sql<{ live: number }>`
    select count(*) as live from (
      select from entries e, ${lives([of.container])}
      where e.account_id = ${accountId} and e.container_id = ${of.container.id} and e.live and not ${isDeadSql}
        and ${inRanges(of.ranges)}
      limit ${of.most}
    ) as counted`.execute(on);
  return rows[0]?.live ?? 0;
}
