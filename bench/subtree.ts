import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { applyUnderRules } from '../activities/apply-under-rules.ts';
import { subtreeActivities } from '../activities/work-subtrees.ts';
import { connectionStringOn } from '../infra/local/storage/account.ts';
import { decodeTriggers } from '../schema/events/decode.ts';
import { applyEvents } from '../schema/index/apply-events.ts';
import type { Index } from '../schema/index/database.ts';
import { noteSubtrees } from '../schema/index/subtrees.ts';
import { transact } from '../schema/index/transact.ts';
import { asActivity } from './as-activity.ts';
import { benchServices } from './bench-services.ts';
import { CONTAINER, eventOf, FOLDER, seeded } from './triggers/events.ts';
import { type Percentiles, percentilesOf } from './triggers/percentiles.ts';
import { seedIndex } from './triggers/seed-index.ts';

export interface SubtreeBenchmark {
  readonly bench: 'subtree';
  /** Names in the index below the directory that was renamed. */
  readonly children: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Of any transaction in that time, in milliseconds, as the server tells it ten times a second. */
  readonly longestTransactionMs: number;
  /** Batches of twenty triggers for names below that directory, twenty times a second, while it is worked off. */
  readonly triggerBatches: number;
  readonly triggerBatchMs: Percentiles & { readonly most: number };
  readonly rssMiB: { readonly before: number; readonly after: number };
  /** One plain update of the same rows, in one transaction, with nothing beside it. */
  readonly baselines: { readonly plainUpdatePerSecond: number };
  readonly ratios: { readonly toPlainUpdate: number };
}

const TURN_SECONDS = 5;
const TRIGGERS = 20;
const TRIGGERS_EVERY_MS = 50;
const SAMPLE_EVERY_MS = 100;

/** Measures how a directory's rename is worked off, and what it holds up meanwhile. */
export async function runSubtree(
  url: string,
  children: number,
  say: (text: string) => void,
): Promise<SubtreeBenchmark> {
  const keys = 2 * children;
  say(`seeding ${seeded(keys)} names`);
  await seedIndex(url, keys);
  const services = await benchServices({ url, connectionString: connectionStringOn(1) });
  const { account, clock, index } = services;
  const over = new AbortController();
  const triggerMs: number[] = [];
  let longest = 0;

  const intake = repeat(over.signal, TRIGGERS_EVERY_MS, async (turn) => {
    const bodies = Array.from({ length: TRIGGERS }, (_, at) => eventOf(turn * TRIGGERS + at, keys));
    const events = decodeTriggers(bodies).read.flatMap((each) => (each.kind === 'event' ? [each.event] : []));
    const began = performance.now();
    await applyUnderRules(services, (tx, scope) => applyEvents(tx, { ...scope, events }));
    triggerMs.push(Math.round(performance.now() - began));
  });
  const watch = repeat(over.signal, SAMPLE_EVERY_MS, async () => {
    longest = Math.max(longest, await longestTransactionMs(index));
  });
  const gone = { container: CONTAINER, name: FOLDER };
  const made = { container: CONTAINER, name: `${FOLDER}-renamed` };
  const change = { gone, made, recursive: true, time: clock.now(), eventId: 'bench', api: 'RenameDirectory' };
  const before = rssMiB();
  const began = performance.now();
  await transact(index, (tx) => noteSubtrees(tx, account.id, [change]));
  const { workSubtrees } = subtreeActivities(services);
  const signal = new AbortController();
  const work = repeat(over.signal, 0, () => asActivity(() => workSubtrees({ seconds: TURN_SECONDS }), signal.signal));
  try {
    while (!(await isWorkedOff(index))) await clock.sleep(SAMPLE_EVERY_MS, over.signal);
  } finally {
    over.abort();
    signal.abort();
  }
  const seconds = (performance.now() - began) / 1_000;
  const after = rssMiB();
  await Promise.all([intake, watch, work]);
  say(`worked off in ${seconds.toFixed(1)} s`);
  const plain = await plainUpdate(index, account.id);
  await index.close();

  const perSecond = Math.round(children / seconds);
  const plainUpdatePerSecond = Math.round(plain.rows / plain.seconds);
  return {
    bench: 'subtree',
    children,
    seconds: Math.round(seconds * 10) / 10,
    perSecond,
    longestTransactionMs: longest,
    triggerBatches: triggerMs.length,
    triggerBatchMs: { ...percentilesOf(triggerMs), most: Math.max(0, ...triggerMs) },
    rssMiB: { before, after },
    baselines: { plainUpdatePerSecond },
    ratios: { toPlainUpdate: Math.round((100 * perSecond) / plainUpdatePerSecond) / 100 },
  };
}

/** Until the signal ends it; what is begun then is finished. */
async function repeat(signal: AbortSignal, everyMs: number, work: (turn: number) => Promise<unknown>): Promise<void> {
  for (let turn = 0; !signal.aborted; turn++) {
    const began = performance.now();
    await work(turn).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    const wait = everyMs - (performance.now() - began);
    if (wait > 0) await sleep(wait);
  }
}

async function isWorkedOff(index: Index): Promise<boolean> {
  const { rows } = await sql`select 1 from subtrees where worked_at is null`.execute(index.db);
  return rows.length === 0;
}

async function longestTransactionMs(index: Index): Promise<number> {
  const { rows } = await sql<{ ms: number | null }>`
    select max(extract(epoch from clock_timestamp() - xact_start) * 1000)::int as ms from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`.execute(
    index.db,
  );
  return rows[0]?.ms ?? 0;
}

async function plainUpdate(index: Index, accountId: number) {
  return await index.db.transaction().execute(async (tx) => {
    const began = performance.now();
    const { numAffectedRows } = await sql`
      update entries set live = not live, changed_at = changed_at + 1 where account_id = ${accountId}`.execute(tx);
    return { rows: Number(numAffectedRows ?? 0n), seconds: (performance.now() - began) / 1_000 };
  });
}

function rssMiB(): number {
  return Math.round(process.memoryUsage.rss() / 2 ** 20);
}
