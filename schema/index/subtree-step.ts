import { type RawBuilder, sql } from 'kysely';
import type { RuleIndex } from '../../namespace/authority.ts';
import type { BlobEvent, SubtreeGone } from '../../namespace/change.ts';
import { wordOf } from '../../namespace/decide-subtree.ts';
import type { ClockPolicy } from '../../namespace/decision.ts';
import type { Key } from '../../namespace/key.ts';
import { holdAccount } from './accounts.ts';
import { serverNow } from './clock.ts';
import { type ContainerRow, containerStates } from './containers.ts';
import type { Tx } from './database.ts';
import { recordJournal } from './journal.ts';
import { isDeadSql, lives } from './lives.ts';
import { queueLooks } from './look-queue.ts';
import { afterName, inPrefix } from './name-range.ts';
import type { PageScope } from './page.ts';
import { keyArrays, type PageKey, pageKey } from './page-rows.ts';
import type { SubtreeClaim } from './subtrees.ts';
import { searchByKey } from './transact.ts';
import { type Refused, recordViolations } from './violations.ts';

export interface SubtreeStep {
  /** Entries that became tombstones in this step. */
  readonly gone: number;
  /** Entries of which looks were queued. */
  readonly looks: number;
  /** Entries under VAST's authority, which were left alone. */
  readonly refused: number;
  /** Nothing is left to go through, or another claim has taken over. */
  readonly done: boolean;
}

export interface SubtreeInput extends PageScope {
  readonly claim: SubtreeClaim;
  /** Entries to go through. */
  readonly limit: number;
  readonly leaseMs: number;
}

interface Held extends SubtreeGone {
  readonly after: string;
  readonly api: string;
}

const OVER: SubtreeStep = { gone: 0, looks: 0, refused: 0, done: true };

/**
 * Goes through the next `limit` entries below the directory, in key order, and keeps where it stopped: agrees with
 * `decideSubtree`, each name under its own rule. No more rows are locked than that, and nothing is asked of Azure.
 */
export async function stepSubtree(tx: Tx, step: SubtreeInput): Promise<SubtreeStep> {
  const { account, claim, limit, rules, ruleRevision, policy } = step;
  const held = await holdClaim(tx, account.id, claim);
  if (held === undefined) return OVER;
  const { clock } = await holdAccount(tx, account.id, ruleRevision);
  const container = (await containerStates(tx, account.id, [held.container])).get(held.container);
  if (container === undefined) return OVER;

  const { rows: window } = await sql<{ readonly name: string; readonly asks: boolean }>`
    select e.head || e.tail as name, e.live or e.look_due as asks
    from entries as e
    where e.account_id = ${account.id} and e.container_id = ${container.id}
      and ${inPrefix(`${held.directory}/`)} and (${held.after === ''} or ${afterName(held.after)})
    order by e.head, e.tail limit ${limit}`.execute(tx);
  const asking = window.filter(({ asks }) => asks).map(({ name }) => name);
  const done = window.length < limit;
  const { ours, refused } = sortOut(asking, container, held, rules);
  const verdicts = await lockAndJudge(tx, account.id, ours, container, held, { ...policy, ...clock });
  const gone = ours.filter((_, at) => verdicts[at] === 'gone');
  const looks = ours.filter((_, at) => verdicts[at] === 'look');
  await bury(tx, account.id, gone, held, ruleRevision);
  await wishLooks(tx, account.id, looks);
  await recordViolations(tx, account.id, ruleRevision, violationOf(refused, held, done ? rules : undefined));

  const last = window.at(-1)?.name ?? held.after;
  const { rows: totals } = await sql<{ readonly gone: number; readonly looks: number; readonly refused: number }>`
    update subtrees set after = ${last}, gone = gone + ${gone.length}, looks = looks + ${looks.length},
      refused = refused + ${refused.length}, due_at = ${serverNow} + ${step.leaseMs}::bigint,
      worked_at = case when ${done} then ${serverNow} end
    where id = ${claim.id}
    returning gone, looks, refused`.execute(tx);
  if (done) {
    const { container: of, directory: name, eventId, api, time } = held;
    const detail = { eventId, api, time, ...totals[0] };
    await recordJournal(tx, account.id, [{ kind: 'directory-gone', container: of, name, detail }]);
  }
  return { gone: gone.length, looks: looks.length, refused: refused.length, done };
}

/** @returns undefined where the work is done, or another claim has taken it over. */
async function holdClaim(tx: Tx, accountId: number, { id, claim }: SubtreeClaim): Promise<Held | undefined> {
  const { rows } = await sql<Held>`
    select c.name as container, s.head || s.tail as directory, s.event_time as time, s.event_id as "eventId", s.api,
      s.after
    from subtrees as s join containers as c on c.account_id = s.account_id and c.id = s.container_id
    where s.account_id = ${accountId} and s.id = ${id} and s.claim = ${claim} and s.worked_at is null
    for no key update of s`.execute(tx);
  return rows[0];
}

/** Which names Blob's authority lets in, and which are VAST's. */
function sortOut(names: readonly string[], container: ContainerRow, held: Held, rules: RuleIndex) {
  const ours: PageKey[] = [];
  const refused: Key[] = [];
  for (const name of names) {
    const key = { container: held.container, name };
    const authority = rules.match(key)?.authority;
    if (authority === 'blob') ours.push(pageKey(container.id, name));
    if (authority === 'vast') refused.push(key);
  }
  return { ours, refused };
}

/** One event is one violation, however many names of VAST's it is about: it names the first, or the directory itself where the index knows none. */
function violationOf(refused: readonly Key[], held: Held, rules: RuleIndex | undefined): readonly Refused[] {
  const { container, directory, time, eventId, api } = held;
  const whole = rules?.match({ container, name: `${directory}/` })?.authority === 'vast';
  const key = refused[0] ?? (whole ? { container, name: directory } : undefined);
  if (key === undefined) return [];
  const none = { attributes: undefined, sequencer: undefined, epoch: undefined };
  const event: BlobEvent = { kind: 'event', source: 'trigger', effect: 'delete', ...key, ...none, time, eventId, api };
  return [{ event, reason: 'vast-has-authority' }];
}

type Verdict = 'gone' | 'look' | 'none';

/** Locks the rows in key order and says of each, as it is by then, what `decideSubtree` does. */
async function lockAndJudge(
  tx: Tx,
  accountId: number,
  page: readonly PageKey[],
  container: ContainerRow,
  held: Held,
  policy: ClockPolicy,
): Promise<readonly Verdict[]> {
  const word = wordOf(held, container, policy);
  if (page.length === 0 || word === 'void') return [];
  const keys = keyArrays(page);
  const locked = sql<{ readonly ord: number; readonly verdict: Verdict }>`
    select x.ord, ${verdictSql(held.time - policy.margin, word === 'final')} as verdict
    from unnest(${keys.containers}::int[], ${keys.heads}::text[], ${keys.hashes}::text[])
      with ordinality as x (container_id, head, tail_hash, ord)
    join entries as e on e.account_id = ${accountId} and e.container_id = x.container_id and e.head = x.head
      and e.tail_hash = decode(x.tail_hash, 'hex')
    cross join ${lives([container])}
    order by x.ord for update of e`;
  const { rows } = await searchByKey(tx, () => locked.execute(tx));
  const verdicts: Verdict[] = page.map(() => 'none');
  for (const { ord, verdict } of rows) verdicts[ord - 1] = verdict;
  return verdicts;
}

/** `decideSubtree`, for an entry `e` in a container with the bounds `k`, under Blob's authority. */
function verdictSql(before: number, final: boolean): RawBuilder<Verdict> {
  return sql`case
      when e.look_due then 'look'
      when not e.live or ${isDeadSql} then 'none'
      when ${final} and e.look is null and e.seen < ${before}::bigint then 'gone'
      else 'look'
    end`;
}

/** `afterSubtree`, for rows that are locked and live. */
async function bury(
  tx: Tx,
  accountId: number,
  page: readonly PageKey[],
  { time, eventId }: Held,
  ruleRevision: number,
): Promise<void> {
  if (page.length === 0) return;
  const keys = keyArrays(page);
  const buried = sql`
    update entries as e set
      live = false, etag = null, length = null, blob_type = null, content_type = null, md5 = null,
      last_modified = null, tier = null, metadata = null,
      seen = ${time}, look = ${time}, revision = e.revision + 1,
      source = 'trigger', event_id = ${eventId}, event_time = ${time}, rule_revision = ${ruleRevision},
      changed_at = n.now, tombstone_at = n.now, stub_due = e.sink_id is not null,
      stub_at = case when e.stub_due then least(e.stub_at, n.now) else n.now end, stub_tries = 0
    from (select ${serverNow} as now offset 0) as n,
      unnest(${keys.containers}::int[], ${keys.heads}::text[], ${keys.hashes}::text[]) as x (container_id, head, tail_hash)
    where e.account_id = ${accountId} and e.container_id = x.container_id and e.head = x.head
      and e.tail_hash = decode(x.tail_hash, 'hex')`;
  await searchByKey(tx, () => buried.execute(tx));
}

/** Moves the revisions, which voids looks that are on their way, and queues the looks. */
async function wishLooks(tx: Tx, accountId: number, page: readonly PageKey[]): Promise<void> {
  if (page.length === 0) return;
  const keys = keyArrays(page);
  const wished = sql`
    update entries as e set look_due = true, revision = e.revision + 1, changed_at = ${serverNow}
    from unnest(${keys.containers}::int[], ${keys.heads}::text[], ${keys.hashes}::text[]) as x (container_id, head, tail_hash)
    where e.account_id = ${accountId} and e.container_id = x.container_id and e.head = x.head
      and e.tail_hash = decode(x.tail_hash, 'hex')`;
  await searchByKey(tx, () => wished.execute(tx));
  await queueLooks(
    tx,
    accountId,
    page.map((key) => ({ ...key, reason: 'directory-gone', inMs: 0 })),
  );
}
