import { sql } from 'kysely';
import { type Index, openIndex } from '../../schema/index/database.ts';

/** What a run was seen to do from outside. */
export interface WatchedRun {
  /** By phase of its ledger; `start` until it has one, its process' own start included. */
  readonly phaseSeconds: Readonly<Record<string, number>>;
  /** The most that its own tables took at once. */
  readonly stagingBytes: number;
}

const EVERY_MS = 100;

/** Watches the next run that starts. Stop it once the run has ended. */
export function watchRun(url: string): { stop(): Promise<WatchedRun> } {
  const index = openIndex(url);
  const over = new AbortController();
  const watched = watch(index, over.signal).finally(() => index.close());
  return {
    stop: async () => {
      over.abort();
      return await watched;
    },
  };
}

async function watch(index: Index, over: AbortSignal): Promise<WatchedRun> {
  const before = (await newest(index)).id;
  const phases = new Map<string, number>();
  let stagingBytes = 0;
  let phase = 'start';
  let since = performance.now();
  const enter = (next: string) => {
    const now = performance.now();
    phases.set(phase, (phases.get(phase) ?? 0) + (now - since) / 1_000);
    phase = next;
    since = now;
  };
  while (!over.aborted) {
    const run = await newest(index);
    if (run.id > before) {
      if (run.phase !== phase) enter(run.phase);
      stagingBytes = Math.max(stagingBytes, await bytesOf(index, run.id));
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  enter('');
  const phaseSeconds = Object.fromEntries([...phases].map(([name, seconds]) => [name, Math.round(seconds * 10) / 10]));
  return { phaseSeconds, stagingBytes };
}

async function newest(index: Index): Promise<{ readonly id: number; readonly phase: string }> {
  const { rows } = await sql<{ id: number; phase: string }>`
    select id, case when ended_at is null then coalesce(state ->> 'phase', 'stage') else 'ended' end as phase
    from runs order by id desc limit 1`.execute(index.db);
  return rows[0] ?? { id: 0, phase: '' };
}

/** Every table of the run, their indexes and what is stored beside them. */
async function bytesOf(index: Index, runId: number): Promise<number> {
  const { rows } = await sql<{ bytes: number | null }>`
    select sum(pg_total_relation_size(oid))::bigint as bytes from pg_class
    where relkind in ('r', 'm') and relname like ${`reconcile\\_${runId}\\_%`}`.execute(index.db);
  return rows[0]?.bytes ?? 0;
}
