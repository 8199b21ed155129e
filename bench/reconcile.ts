import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { connectionStringOn } from '../infra/local/storage/account.ts';
import { CAUSES, type Cause } from '../schema/drift/cause.ts';
import { openIndex } from '../schema/index/database.ts';
import { countFindings } from '../schema/index/findings.ts';
import type { BenchPlaces } from './bench-services.ts';
import { runPart, startPart } from './child.ts';
import type { CopyFigures } from './reconcile/copy.process.ts';
import type { IntakeMark } from './reconcile/intake.process.ts';
import { lakeOf, planted } from './reconcile/lake.ts';
import type { ListingFigures } from './reconcile/listing.process.ts';
import { postgresCpuSeconds } from './reconcile/postgres-cpu.ts';
import type { RunFigures } from './reconcile/run.process.ts';
import { seedIndex } from './reconcile/seed-index.ts';
import { watchRun } from './reconcile/watch-run.ts';
import { REPORTS, type ReportFormat, writeReport } from './reconcile/write-report.ts';

export interface ReconcileBenchOptions {
  /** Of the lake; the index and the report each have about as many. */
  readonly rows: number;
  readonly format: ReportFormat;
  /** Rows of one data file of the report. */
  readonly fileRows: number;
  /** The share of rows that differ. */
  readonly drift: number;
  readonly listingRows: number;
  /** Whether intake of triggers is measured too, alone and while a second run goes on. */
  readonly intake: boolean;
}

type Counts = Readonly<Partial<Record<Cause, number>>>;

export interface ReconcileBenchmark {
  readonly bench: 'reconcile';
  readonly rows: number;
  readonly format: ReportFormat;
  /** From the search for the report to the end of the run, its looks answered and its findings settled. */
  readonly seconds: number;
  readonly perSecond: number;
  /** Of the process that reconciles, with the looks that it answers. */
  readonly peakRssMiB: number;
  /** Drift by cause, as the ledger has it after the run and as it was made; `asPlanted`: they are the same. */
  readonly findings: Counts;
  readonly planted: Counts;
  readonly asPlanted: boolean;
  readonly baselines: {
    /** A bare COPY of what is staged, encoded already, into a plain unlogged table. */
    readonly copySeconds: number;
    /** Azure's client lists `listingRows` blobs, and does nothing with them. */
    readonly listingSeconds: number;
    readonly listingRows: number;
  };
  readonly ratios: { readonly toCopy: number };
  readonly phaseSeconds: Readonly<Record<string, number>>;
  /** The most that the run's own tables took at once. */
  readonly stagingBytesPerRow: number;
  readonly copiedBytesPerRow: number;
  readonly cpuSeconds: { readonly process: number; readonly postgres: number | null };
  readonly report: { readonly files: number; readonly bytes: number };
  readonly looks: number;
  /** Triggers applied per second, with nothing beside them and while a run goes on. */
  readonly intake?: { readonly alone: number; readonly during: number; readonly ratio: number };
}

/** The report began so long ago, and was written since. */
const BEGUN_AGO_MS = 3_600_000;
const INTAKE_WARM_MS = 3_000;
const INTAKE_ALONE_MS = 15_000;

/**
 * Measures a whole reconcile by a report on a migrated index: the process that reconciles, Postgres, and the server of
 * report and blobs each in processes of their own.
 *
 * @param postmaster the process of Postgres, where it is ours.
 */
export async function runReconcile(
  url: string,
  options: ReconcileBenchOptions,
  to: { readonly say: (text: string) => void; readonly signal: AbortSignal; readonly postmaster: number | undefined },
): Promise<ReconcileBenchmark> {
  const { say, signal } = to;
  const { rows, format, fileRows } = options;
  const lake = lakeOf(rows, options.drift, Date.now() - BEGUN_AGO_MS);
  const folder = await mkdtemp(join(tmpdir(), 'isthmus-bench-reconcile-'));
  const index = openIndex(url);
  try {
    const seedingAt = performance.now();
    say(`seeding an index of ${rows} rows`);
    await seedIndex({ url, connectionString: connectionStringOn(1) }, lake, signal);
    const writingAt = performance.now();
    say(`${sinceText(seedingAt)}; writing a report to ${folder}`);
    const report = await writeReport(folder, { lake, format, fileRows }, signal);
    say(`${sinceText(writingAt)}; ${(report.bytes / 1e6).toFixed(0)} MB of ${format} in ${report.files} files`);
    await using server = await startPart<{ readonly port: number }>('reconcile/serve', { folder, lake });
    const places: BenchPlaces = { url, connectionString: connectionStringOn(server.port), inventory: REPORTS };

    await sql`checkpoint`.execute(index.db);
    const watch = watchRun(url);
    const cpuBefore = await postgresCpuSeconds(to.postmaster);
    const run = await runPart<RunFigures>('reconcile/run', places, signal).finally(() => watch.stop());
    const cpuAfter = await postgresCpuSeconds(to.postmaster);
    const watched = await watch.stop();
    const { summary, seconds } = run;
    if (summary.outcome !== 'complete') throw new Error(`The run ended ${summary.outcome}: ${summary.reason}`);
    say(
      `reconciled in ${seconds.toFixed(1)} s: ${JSON.stringify(watched.phaseSeconds)}, at most ${run.peakRssMiB} MiB`,
    );
    const findings: Partial<Record<Cause, number>> = {};
    for (const { cause, count } of await countFindings(index.db, summary.runId)) {
      if (CAUSES[cause].drift) findings[cause] = (findings[cause] ?? 0) + count;
    }
    const plants = planted(lake);

    const copy = await runPart<CopyFigures>('reconcile/copy', { ...places, file: join(folder, 'copied') }, signal);
    say(`a bare copy of ${copy.rows} rows: ${copy.seconds.toFixed(1)} s`);
    const listing = await runPart<ListingFigures>(
      'reconcile/listing',
      { ...places, most: options.listingRows },
      signal,
    );
    say(`a listing of ${listing.rows} blobs: ${listing.seconds.toFixed(1)} s`);
    const intake = options.intake ? await measureIntake(places, to) : undefined;
    return {
      bench: 'reconcile',
      rows,
      format,
      seconds: rounded(seconds),
      perSecond: Math.round(rows / seconds),
      peakRssMiB: run.peakRssMiB,
      findings,
      planted: plants,
      asPlanted: isSame(findings, plants),
      baselines: {
        copySeconds: rounded(copy.seconds),
        listingSeconds: rounded(listing.seconds),
        listingRows: listing.rows,
      },
      ratios: { toCopy: rounded(seconds / copy.seconds) },
      phaseSeconds: watched.phaseSeconds,
      stagingBytesPerRow: Math.round(watched.stagingBytes / report.rows),
      copiedBytesPerRow: Math.round(copy.tableBytes / copy.rows),
      cpuSeconds: {
        process: rounded(run.cpuSeconds),
        postgres: cpuBefore === undefined || cpuAfter === undefined ? null : rounded(cpuAfter - cpuBefore),
      },
      report: { files: report.files, bytes: report.bytes },
      looks: summary.looks,
      ...(intake && { intake }),
    };
  } finally {
    await index.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Triggers alone, then all through a second run by the same report, which finds the index mended. */
async function measureIntake(
  places: BenchPlaces,
  { say, signal }: { readonly say: (text: string) => void; readonly signal: AbortSignal },
): Promise<NonNullable<ReconcileBenchmark['intake']>> {
  await using intake = await startPart<object>('reconcile/intake', places);
  const mark = async (): Promise<IntakeMark> => {
    intake.tell({});
    return await intake.next<IntakeMark>();
  };
  const rateOf = (from: IntakeMark, to: IntakeMark) =>
    Math.round(((to.settled - from.settled) / (to.at - from.at)) * 1_000);
  await sleep(INTAKE_WARM_MS, undefined, { signal });
  const first = await mark();
  await sleep(INTAKE_ALONE_MS, undefined, { signal });
  const alone = rateOf(first, await mark());
  const begun = await mark();
  const { seconds } = await runPart<RunFigures>('reconcile/run', places, signal);
  const during = rateOf(begun, await mark());
  say(`triggers: ${alone}/s alone, ${during}/s beside a run of ${seconds.toFixed(1)} s`);
  return { alone, during, ratio: rounded(during / alone) };
}

function isSame(found: Counts, made: Counts): boolean {
  return Object.keys({ ...found, ...made }).every((cause) => found[cause as Cause] === made[cause as Cause]);
}

function sinceText(from: number): string {
  return `${((performance.now() - from) / 1_000).toFixed(1)} s`;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
