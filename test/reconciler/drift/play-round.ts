import { sql } from 'kysely';
import { formatKey, type Key } from '../../../namespace/key.ts';
import type { Rule } from '../../../namespace/rule.ts';
import type { Judging } from '../../../reconciler/judging.ts';
import { prepareRun } from '../../../reconciler/prepare.ts';
import { hasCode } from '../../../schema/errors.ts';
import { publishRules } from '../../../schema/index/authority-revisions.ts';
import type { Index } from '../../../schema/index/database.ts';
import { Random } from '../../simulation/random.ts';
import { feedReadTo, hear, type Told, ToldAccount } from '../support/told-account.ts';
import { watchedIndex } from '../support/watched-index.ts';
import { driveRun, makeWorld, NEVER, type World } from '../support/world.ts';
import { checkAgrees, checkFindings, checkQuiet } from './check-round.ts';
import { judgedReport, OPTIONAL } from './judged-report.ts';
import { PLANTS, plantContainer, race } from './plant.ts';
import { mustFind, newKey, type Played } from './played.ts';

const MINUTE = 60_000;
const CONTAINERS: readonly [string, ...string[]] = ['alpha', 'beta', 'gamma', 'delta'];

export interface RoundResult {
  /** Names on which drift was planted, by the cause that the judge must find. */
  readonly planted: Readonly<Record<string, number>>;
  readonly raced: number;
  readonly killed: number;
}

/**
 * Plays one round: an account is filled, its index hears of most of it, drift of every cause is planted, and a judge is
 * asked while both are written to, and killed now and then. The same seed plays the same round.
 *
 * @param name of the account in this index: each round needs its own.
 * @throws RoundFailed where the judge was wrong.
 */
export async function playRound(index: Index, seed: number, name: string): Promise<RoundResult> {
  const played = await begin(index, seed, name);
  const { random, world } = played;
  await plantAll(played);
  world.blobs.later(random.between(1, 4) * MINUTE);
  if (played.judge === 'inventory') judgedReport(played, true);
  if (played.feed === 'ahead') {
    await hear(world, 'feed', played.late.splice(0));
    await feedReadTo(world, world.blobs.time);
  }

  const disturbance = new Disturbance(played);
  const { federation } = world.judging;
  const changeFeed = { pollSeconds: 1, settleSeconds: 0, lagLimitSeconds: 3_600 };
  const sources = { ...federation.sources, ...(played.feed !== 'none' && { changeFeed }) };
  const judging: Judging = { ...world.judging, federation: { ...federation, sources } };
  world.blobs.pageSize = random.between(5, 40);
  world.blobs.onRequest = (what) => disturbance.page(what);
  const runId = await drive(played, judging, disturbance);
  disturbance.end();
  for (const each of played.late) played.toldLate.add(formatKey(each));
  await hear(world, 'trigger', played.late.splice(0));
  await world.answerLooks();
  await checkFindings(played, runId);
  await checkAgrees(played);

  world.blobs.later(10 * MINUTE);
  if (played.judge === 'inventory') judgedReport(played, false);
  const again = await drive(played, judging, disturbance);
  await checkQuiet(played, again);
  await checkAgrees(played);
  const planted: Record<string, number> = {};
  for (const { cause } of played.expected.values()) planted[cause] = (planted[cause] ?? 0) + 1;
  return { planted, raced: played.raced.size, killed: disturbance.killed };
}

async function begin(index: Index, seed: number, name: string): Promise<Played> {
  const random = new Random(seed, 7);
  const stop = random.chance(0.3) ? { percent: 0.1, names: 0 } : { percent: 100, names: 1_000_000 };
  const rule = (prefix: string, authority: Rule['authority'] = 'blob'): Rule => {
    return { prefix, authority, sink: 'vast', ...(authority === 'blob' && { stop }) };
  };
  const containers = CONTAINERS.slice(0, random.between(1, CONTAINERS.length));
  const everything = random.chance(0.5);
  const rules = [
    ...(everything ? [rule('')] : containers.map((each) => rule(`${each}/`))),
    rule('alpha/vast/', 'vast'),
  ];
  const world = await makeWorld(index, rules, name);
  const account = new ToldAccount(world.blobs);
  const judge = random.chance(0.6) ? 'inventory' : 'listing';
  // What the first listing of all brings is no drift.
  const listedFirst = judge === 'listing' || random.chance(0.5);
  const columns = judge === 'listing' ? OPTIONAL : OPTIONAL.filter(() => random.chance(0.7));
  const played: Played = {
    ...{ seed, random, world, account, judge, listedFirst },
    feed: random.pick(['ahead', 'behind', 'none']),
    columns: new Set(columns),
    ...{ expected: new Map(), raced: new Set(), late: [], toldLate: new Set(), free: [], unique: 0 },
  };
  await datedRules(world);
  for (const each of containers) account.createContainer(each);
  world.blobs.later(MINUTE);
  const told: Told[] = [];
  for (let blobs = random.between(20, random.chance(0.2) ? 200 : 60); blobs > 0; blobs--) {
    const key = newKey(played, random.pick([containers[0] ?? 'alpha', ...containers]));
    const type = random.chance(0.8) ? 'BlockBlob' : random.chance(0.5) ? 'AppendBlob' : 'PageBlob';
    told.push(account.put(key, { type }));
    played.free.push(key);
    world.blobs.later(random.between(0, 500));
  }
  for (let blobs = random.between(0, 3); blobs > 0; blobs--) {
    told.push(account.put({ container: 'alpha', name: `vast/${played.unique++}` }));
  }
  if (listedFirst) {
    await world.reconcile({ judge: 'listing' });
    await sql`update runs set started_at = ${world.blobs.time} where account_id = ${world.judging.account.id}`.execute(
      index.db,
    );
  }
  const source = played.feed === 'none' || random.chance(0.5) ? 'trigger' : 'feed';
  await hear(world, source, random.shuffle(told));
  await world.answerLooks();
  world.blobs.later(5 * MINUTE);
  played.free.splice(0, Number.POSITIVE_INFINITY, ...random.shuffle(played.free));
  if (!everything) await plantRule(played, [...rules, rule('later/')]);
  return played;
}

/** Blobs that no rule named when they were told of, and one names now. */
async function plantRule(played: Played, rules: readonly Rule[]): Promise<void> {
  const { account, random, world } = played;
  account.createContainer('later');
  const keys: Key[] = Array.from({ length: random.between(0, 3) }, () => newKey(played, 'later'));
  const told = keys.map((key) => account.put(key));
  await hear(world, 'trigger', told);
  world.blobs.later(2 * MINUTE);
  await publishRules(world.index, world.judging.account.id, rules, 'one more');
  await datedRules(world);
  for (const key of keys) {
    mustFind(played, key, { difference: 'not-indexed', cause: 'rule-changed', state: 'repaired' });
  }
  world.blobs.later(MINUTE);
}

/** The account's clock stands in the past, and so must the time at which rules were published. */
async function datedRules({ index, judging, blobs }: World): Promise<void> {
  await sql`
    update authority_revisions set published_at = ${blobs.time}
    where account_id = ${judging.account.id}
      and revision = (select rule_revision from accounts where id = ${judging.account.id})`.execute(index.db);
}

async function plantAll(played: Played): Promise<void> {
  const { random, world } = played;
  const { blobs } = world;
  const before = blobs.time;
  if (played.feed === 'behind') await feedReadTo(world, before - MINUTE);
  const doomed = ['beta', 'gamma', 'delta'].filter((name) => blobs.containers.has(name)).at(-1);
  if (doomed !== undefined && random.chance(0.3)) await plantContainer(played, doomed, random.chance(0.5));
  for (let plants = random.between(1, 14); plants > 0; plants--) {
    await random.pick(PLANTS)(played);
    blobs.later(random.between(0, 5_000));
  }
  const last = { container: 'alpha', name: `the last that a trigger told ${played.unique++}` };
  await hear(world, 'trigger', [played.account.put(last)]);
}

/** Asks the judge, again each time that its worker was killed. @returns the run. */
async function drive(played: Played, judging: Judging, disturbance: Disturbance): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const died = disturbance.begin();
    const index = watchedIndex(judging.index, (text) => disturbance.step(text, died));
    try {
      const { runId } = await prepareRun({ ...judging, index }, { judge: played.judge }, NEVER);
      await driveRun({ ...judging, index }, () => played.world.answerLooks(), runId, undefined, 'approved');
      return runId;
    } catch (error) {
      // What a worker that is dead had sent may still be carried out while the next one begins.
      if (attempt > 20 || !(died.aborted || hasCode(error, 'ISTHMUS_RUN_MOVED'))) throw error;
    }
  }
}

/** What goes on beside the judge: somebody writes to the account, the index hears of it, the judge's worker dies. */
class Disturbance {
  readonly #played: Played;
  readonly #kills: boolean;
  #writes: number;
  #lives = 0;
  #worker = new AbortController();
  #hearing: Promise<void> = Promise.resolve();
  #ended = false;
  killed = 0;

  constructor(played: Played) {
    this.#played = played;
    const { random } = played;
    this.#writes = random.chance(0.8) ? random.between(1, 8) : 0;
    this.#kills = random.chance(0.3);
  }

  /** A worker takes the judge on. @returns what tells that it was killed: it stays dead. */
  begin(): AbortSignal {
    this.#worker = new AbortController();
    const { random } = this.#played;
    this.#lives = this.killed < 4 ? random.between(1, 80 + 120 * this.killed) : Number.POSITIVE_INFINITY;
    return this.#worker.signal;
  }

  /** Before a statement of the judge. Written is where it begins a transaction, as it holds no lock then that a write would wait for. */
  async step(text: string, died: AbortSignal): Promise<void> {
    if (this.#ended) return;
    this.#live(died);
    if (!/^(begin|start)/i.test(text) || !this.#writesNow(0.2)) return;
    const told = this.#write();
    // One after the other: what the judge sends at once must not make a round play differently.
    this.#hearing = this.#hearing.then(() => hear(this.#played.world, 'trigger', told));
    await this.#hearing;
  }

  /** Before a page of a listing, or a part of a file. */
  page(what: string): void {
    if (this.#ended) return;
    this.#live(this.#worker.signal);
    if (what.startsWith('list ') && this.#writesNow(0.3)) this.#played.late.push(...this.#write());
  }

  end(): void {
    this.#ended = true;
  }

  #live(died: AbortSignal): void {
    if (this.#kills && !died.aborted && --this.#lives < 0) {
      this.#worker.abort(new Error('the worker was killed'));
      this.killed++;
    }
    died.throwIfAborted();
  }

  #writesNow(probability: number): boolean {
    return this.#writes > 0 && this.#played.random.chance(probability);
  }

  #write(): Told[] {
    this.#writes--;
    return [race(this.#played)];
  }
}
