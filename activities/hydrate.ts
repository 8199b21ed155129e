import { Context } from '@temporalio/activity';
import pLimit from 'p-limit';
import { z } from 'zod';
import type { Key } from '../namespace/key.ts';
import { upsertHydration } from '../schema/index/hydrations.ts';
import { type EntryRow, listEntries } from '../schema/index/queries.ts';
import { markStubsDue, releaseStubs } from '../schema/index/stubs.ts';
import type { Activities, HydrateInput, HydrateSummary } from '../schema/inputs/activities.ts';
import { heartbeats } from './heartbeat.ts';
import type { Services } from './services.ts';
import { type HydratedFile, hydrateFile, type Wanted } from './vast/hydrate/hydrate-file.ts';
import { refreshEntry } from './vast/hydrate/refresh-entry.ts';

const PAGE = 256;
/** Files at once; each fetches four ranges at once. */
const FILES = 8;
const FAILURES_SHOWN = 20;

const progressSchema = z.object({
  after: z.object({ container: z.string(), name: z.string() }).optional(),
  files: z.number(),
  already: z.number(),
  bytes: z.number(),
  failed: z.number(),
  failures: z.array(z.string()),
});

/** Where a request stands: all up to and with `after` is done. An attempt that follows a crash goes on from there. */
type Progress = z.infer<typeof progressSchema>;

/** Brings in the bytes of every live entry under a prefix, in key order, a page at a time. A file that fails is counted and named; the others go on. */
export function hydrateActivities(services: Services): Pick<Activities, 'hydrateFiles'> {
  return {
    async hydrateFiles(input) {
      const { cancellationSignal: signal, info } = Context.current();
      const told = progressSchema.safeParse(info.heartbeatDetails);
      const done: Progress = told.success ? told.data : { files: 0, already: 0, bytes: 0, failed: 0, failures: [] };
      using _heartbeats = heartbeats(() => done);
      await note(services, input, done, 'running');
      for (let more = true; more; ) {
        signal.throwIfAborted();
        more = await hydratePage(services, input, done, signal);
        await note(services, input, done, more ? 'running' : done.failed > 0 ? 'failed' : 'done');
      }
      const { after: _after, ...summary } = done;
      return summary;
    },
  };
}

/** @returns whether there may be more. */
async function hydratePage(
  services: Services,
  { prefix, requestId }: HydrateInput,
  done: Progress,
  signal: AbortSignal,
): Promise<boolean> {
  const { index, account } = services;
  const page = await listEntries(index.db, account.id, { prefix, after: done.after, limit: PAGE });
  const rules = await services.rules();
  const limit = pLimit(FILES);
  const sum: HydrateSummary = { files: 0, already: 0, bytes: 0, failed: 0, failures: [] };
  const results = await Promise.all(
    page.map((entry) =>
      limit(async () => {
        const rule = rules.index.match(entry);
        // No rule, no federation; and what VAST has authority over is there already.
        if (rule?.authority !== 'blob' || signal.aborted) return undefined;
        return await hydrateEntry(services, entry, rule.sink, requestId, signal);
      }),
    ),
  );
  signal.throwIfAborted();
  const total = results.reduce((counts, result) => (result === undefined ? counts : add(counts, result)), sum);
  done.files += total.files;
  done.already += total.already;
  done.bytes += total.bytes;
  done.failed += total.failed;
  done.failures = [...done.failures, ...total.failures].slice(0, FAILURES_SHOWN);
  const last = page.at(-1);
  if (last !== undefined) done.after = { container: last.container, name: last.name };
  return page.length === PAGE;
}

function add(sum: HydrateSummary, file: HydratedFile): HydrateSummary {
  switch (file.outcome) {
    case 'hydrated':
      return { ...sum, files: sum.files + 1, bytes: sum.bytes + file.bytes };
    case 'already':
      return { ...sum, already: sum.already + 1 };
    case 'gone':
      return sum;
    case 'failed':
      return { ...sum, failed: sum.failed + 1, failures: [...sum.failures, file.reason] };
  }
}

async function hydrateEntry(
  services: Services,
  entry: EntryRow,
  sinkName: string,
  requestId: string,
  signal: AbortSignal,
): Promise<HydratedFile> {
  const { index, account, blobs } = services;
  const sink = services.sinks.get(sinkName);
  const key: Key = { container: entry.container, name: entry.name };
  const named = `'${key.container}/${key.name}'`;
  if (sink === undefined) return { outcome: 'failed', reason: `${named}: there is no sink '${sinkName}'` };
  if (entry.attributes === undefined) return { outcome: 'gone' };
  const wanted: Wanted = {
    key,
    attributes: { ...entry.attributes, lastModified: entry.attributes.lastModified ?? entry.provenance.time },
    revision: entry.revision,
  };
  return await hydrateFile(
    wanted,
    {
      sink,
      blobs,
      refresh: (stale, aborted) => refreshEntry(services, stale, requestId, aborted),
      async settle(result) {
        const { stub, revision } = entry;
        // It is written down already: a prefix that is asked for again writes no rows.
        if (stub.state === 'hydrated' && stub.etag === result.etag && revision === result.revision) return;
        const taken = await releaseStubs(index, account.id, [result]);
        if (taken === 0) await markStubsDue(index.db, account.id, [result.key]);
      },
    },
    signal,
  );
}

async function note(
  { index, account }: Services,
  { prefix, requestId }: HydrateInput,
  { files, already, bytes, failed }: Progress,
  state: 'running' | 'done' | 'failed',
): Promise<void> {
  await upsertHydration(index.db, account.id, { requestId, prefix, state, files, already, bytes, failed });
}
