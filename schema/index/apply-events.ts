import type { BlobEvent } from '../../namespace/change.ts';
import { decide } from '../../namespace/decide.ts';
import type { ClockPolicy } from '../../namespace/decision.ts';
import type { Entry, Timestamp } from '../../namespace/entry.ts';
import { foldPage, isRoutine, type KeyGroup } from '../../namespace/fold.ts';
import { afterEvent } from '../../namespace/next-entry.ts';
import type { Rule } from '../../namespace/rule.ts';
import { isDistrusted } from '../../namespace/trust.ts';
import { holdAccount } from './accounts.ts';
import type { Tx } from './database.ts';
import { foldRecords, type Standing } from './fold-records.ts';
import { goneDirectories } from './gone-directories.ts';
import { recordJournal } from './journal.ts';
import type { MeetPolicy } from './meet-policy.ts';
import type { PageScope } from './page.ts';
import { noteContainers, type PageContainers } from './page-containers.ts';
import { marker, type PageRow, pageKey } from './page-rows.ts';
import { type Decided, writeDecided } from './page-writer.ts';
import { findNews, readLeft } from './read-left.ts';
import { ensureSinks } from './sinks.ts';
import { isStorableKey } from './storable.ts';
import { type PageCounts, Tally } from './tally.ts';
import { noteFirstApplied, recordMismatches } from './trigger-trust.ts';
import { upsertPage } from './upsert-page.ts';
import { type Refused, recordViolations } from './violations.ts';

export type { PageCounts } from './tally.ts';

export interface EventPage extends PageScope {
  readonly events: readonly BlobEvent[];
}

/** A group that the index may have to do with, under the rule that gives Blob the authority. */
interface Candidate {
  readonly group: KeyGroup;
  readonly rule: Rule;
}

interface PageGroup extends Candidate {
  readonly row: PageRow;
}

/**
 * Applies a page of events: entries, stub marks, wanted looks, epochs and violations commit with the caller's
 * transaction or not at all.
 *
 * The page is folded by key. What is routine goes through one set-based statement; what that leaves and does
 * not plainly supersede is decided one by one. Both lock rows in key order, in that one statement, so that
 * pages over the same keys wait for each other and never deadlock.
 */
export async function applyEvents(tx: Tx, page: EventPage): Promise<PageCounts> {
  const { account, ruleRevision } = page;
  const { clock, firstTrigger } = await holdAccount(tx, account.id, ruleRevision);
  const policy: ClockPolicy = { ...page.policy, ...clock };
  const tally = new Tally();
  const believed = withoutDistrusted(page, policy, tally);
  const { candidates, refused, unstorable } = admit(believed, tally);

  const events = candidates.length === 0 ? [] : inArrivalOrder(believed, candidates);
  const gone = policy.looks ? await goneDirectories(tx, account.id, events, policy.margin) : () => undefined;
  const containers = await noteContainers(tx, account.id, events, gone);
  const sinks = await ensureSinks(tx, account.id, [...new Set(candidates.map(({ rule }) => rule.sink))]);
  const admitted: PageGroup[] = [];
  for (const candidate of candidates) {
    const row = rowOf(candidate, containers, sinks, policy, ruleRevision, tally);
    if (row !== undefined) admitted.push({ group: candidate.group, rule: candidate.rule, row });
  }
  const meeting = { ...policy, compares: comparesTriggers(believed.events, firstTrigger, policy) };
  const groups = await leaveOldNews(tx, account.id, admitted, meeting, tally);
  const rows = groups.map(({ row }) => row);

  const taken = await upsertPage(tx, account.id, rows, meeting);
  const left = isWhole(rows, taken) ? [] : await readLeft(tx, account.id, rows, meeting);
  let settled = countEvents(groups);
  const decided: Decided[] = [];
  for (const { at, entry } of left) {
    const pageGroup = groups[at];
    if (pageGroup === undefined) continue;
    settled -= pageGroup.group.events.length;
    decided.push(decideGroup(pageGroup, entry, containers, meeting, ruleRevision, tally));
  }
  tally.applied += taken;
  tally.superseded += settled - taken;

  await writeDecided(tx, account.id, decided, policy.margin);
  await recordViolations(tx, account.id, ruleRevision, refused);
  await recordJournal(tx, account.id, unstorable.map(noteUnstorable));
  await noteTrust(tx, account.id, { events: believed.events, firstTrigger, tally });
  return tally.counts(page.events.length);
}

/** Rows that are looked at to tell whether a page is old news. */
const SAMPLE = 32;

/**
 * Counts what is plainly superseded and leaves it out, where a sample says that most of the page is: news told
 * again then costs a reading and locks nothing.
 */
async function leaveOldNews(
  tx: Tx,
  accountId: number,
  groups: readonly PageGroup[],
  policy: MeetPolicy,
  tally: Tally,
): Promise<readonly PageGroup[]> {
  if (groups.length < 2 * SAMPLE) return groups;
  const step = Math.floor(groups.length / SAMPLE);
  const sample = groups.filter((_, at) => at % step === 0).map(({ row }) => row);
  const fresh = await findNews(tx, accountId, sample, policy);
  if (fresh.rows.length > sample.length / 2) return groups;
  const news = await findNews(
    tx,
    accountId,
    groups.map(({ row }) => row),
    policy,
  );
  const kept = news.rows.flatMap((at) => groups[at] ?? []);
  tally.agreed += news.agreed;
  tally.superseded += countEvents(groups) - countEvents(kept);
  return kept;
}

function countEvents(groups: readonly Candidate[]): number {
  return groups.reduce((records, { group }) => records + group.events.length, 0);
}

/** Whether every row was taken: one that was not would be missing from the sum of revisions, and one that asks must be read. */
function isWhole(rows: readonly PageRow[], taken: number): boolean {
  let whole = 0;
  for (const { entry } of rows) {
    if (entry.revision === 0) return false;
    whole += entry.revision;
  }
  return taken === whole;
}

/** The page without triggers where they are not believed: the feed brings what they tell. */
function withoutDistrusted(page: EventPage, policy: ClockPolicy, tally: Tally): EventPage {
  if (policy.triggersTrusted !== false) return page;
  const events = page.events.filter((event) => !isDistrusted(event, policy));
  if (events.length < page.events.length) tally.ignore('distrusted', page.events.length - events.length);
  return { ...page, events };
}

/** Whether a page may meet what the other of trigger and feed has made. A folder's replay is neither's test. */
function comparesTriggers(
  events: readonly BlobEvent[],
  firstTrigger: Timestamp | undefined,
  policy: ClockPolicy,
): boolean {
  if (!policy.looks || policy.triggersTrusted === false) return false;
  return firstTrigger !== undefined || events.some(({ source }) => source === 'trigger');
}

/** Writes down what the trust in triggers rests on. Nothing, for nearly every page. */
async function noteTrust(
  tx: Tx,
  accountId: number,
  page: { readonly events: readonly BlobEvent[]; readonly firstTrigger: Timestamp | undefined; readonly tally: Tally },
): Promise<void> {
  const { events, firstTrigger = Number.POSITIVE_INFINITY, tally } = page;
  if (tally.applied > 0) {
    let oldest = firstTrigger;
    for (const { source, time } of events) if (source === 'trigger' && time < oldest) oldest = time;
    if (oldest < firstTrigger) await noteFirstApplied(tx, accountId, oldest);
  }
  await recordMismatches(tx, accountId, tally);
}

/** Sorts out what changes no entry whatever is there: no rule, VAST's authority, names that Postgres cannot hold. */
function admit(page: EventPage, tally: Tally) {
  const candidates: Candidate[] = [];
  const refused: Refused[] = [];
  const unstorable: BlobEvent[] = [];
  for (const group of foldPage(page.events)) {
    const rule = page.rules.match(group);
    if (rule === undefined) {
      tally.ignore('no-rule', group.events.length);
    } else if (rule.authority === 'isthmus') {
      tally.ignore('canary', group.events.length);
    } else if (!isStorableKey(group)) {
      tally.ignore('unstorable-name', group.events.length);
      unstorable.push(...group.events);
    } else if (rule.authority === 'vast') {
      for (const event of group.events) refused.push({ event, reason: 'vast-has-authority' });
      tally.violations += group.events.length;
      tally.ignore('vast-has-authority', group.events.length);
    } else {
      candidates.push({ group, rule });
    }
  }
  return { candidates, refused, unstorable };
}

/** The candidates' events as they came. */
function inArrivalOrder(page: EventPage, candidates: readonly Candidate[]): readonly BlobEvent[] {
  if (countEvents(candidates) === page.events.length) return page.events;
  const known = new Set(candidates.flatMap(({ group }) => group.events));
  return page.events.filter((event) => known.has(event));
}

/** The group's row of the page; none where its events are dead whatever the entry is. */
function rowOf(
  { group, rule }: Candidate,
  containers: PageContainers,
  sinks: ReadonlyMap<string, number>,
  policy: ClockPolicy,
  ruleRevision: number,
  tally: Tally,
): PageRow | undefined {
  const container = containers.of(group.container);
  const { containerId, name } = pageKey(container.id, group.name);
  const sinkId = sinks.get(rule.sink);
  const standing = standingOf(group, containers, policy);
  if (standing !== undefined) {
    const entry = afterEvent(undefined, standing.winner, ruleRevision);
    if (standing.newerOnArrival === 1) return { containerId, name, sinkId, entry };
    const several = { ...entry, revision: standing.newerOnArrival };
    return { containerId, name, sinkId, entry: several, oldest: group.oldest };
  }
  const dead = group.events.every((event) => {
    const decision = decide(undefined, event, containers.at(event), rule, policy, ruleRevision);
    return decision.outcome === 'ignore' && decision.reason === 'dead-epoch';
  });
  if (!dead) return { containerId, name, sinkId, entry: marker(group) };
  tally.ignore('dead-epoch', group.events.length);
  return undefined;
}

function standingOf(group: KeyGroup, containers: PageContainers, policy: ClockPolicy): Standing | undefined {
  const container = containers.over(group);
  if (!policy.looks) return foldRecords(group, container);
  const { winner, newerOnArrival } = group;
  return winner !== undefined && isRoutine(group, container, policy) ? { winner, newerOnArrival } : undefined;
}

/** Decides a group's events one by one, in arrival order. */
function decideGroup(
  { group, rule, row }: PageGroup,
  before: Entry | undefined,
  containers: PageContainers,
  policy: ClockPolicy & Pick<MeetPolicy, 'compares'>,
  ruleRevision: number,
  tally: Tally,
): Decided {
  let next = before;
  let wanted: string | undefined;
  for (const event of group.events) {
    const decision = decide(next, event, containers.at(event), rule, policy, ruleRevision);
    if (policy.compares) tally.compare(next, event, decision);
    tally.decision(decision);
    if (decision.outcome === 'apply' || decision.outcome === 'look') next = decision.next;
    if (decision.outcome === 'look') wanted = decision.reason;
  }
  return { ...row, before, next, container: containers.of(group.container), wanted };
}

function noteUnstorable(event: BlobEvent) {
  const { container, name, source, eventId, effect, time, attributes } = event;
  return {
    kind: 'unstorable-name',
    container,
    name,
    detail: { source, eventId, effect, time, etag: attributes?.etag },
  };
}
