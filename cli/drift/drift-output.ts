import type { Timestamp } from '../../namespace/entry.ts';
import { CAUSES } from '../../schema/drift/cause.ts';
import { type ByCause, driftByCause, driftOfFindings, totalOf } from '../../schema/drift/drift-counts.ts';
import type { SeenVersion } from '../../schema/drift/evidence.ts';
import type { Queryable } from '../../schema/index/database.ts';
import { countFindings, type Finding } from '../../schema/index/findings.ts';
import type { SeenRun } from '../../schema/index/run-standing.ts';
import type { DriftFinding, DriftOutput } from '../../schema/outputs/drift.ts';
import { formatTime } from '../format.ts';

/** A run counts its drift when it ends; before that its findings are counted. */
export async function runOutputs(on: Queryable, runs: readonly SeenRun[]): Promise<DriftOutput['runs']> {
  return await Promise.all(
    runs.map(async (run) =>
      runOutput(
        run,
        run.outcome === undefined ? driftOfFindings(await countFindings(on, run.id)) : driftByCause(run.counts),
      ),
    ),
  );
}

function runOutput(run: SeenRun, byCause: ByCause): DriftOutput['runs'][number] {
  return {
    run: run.id,
    judge: run.judge,
    sink: run.sink ?? null,
    prefix: run.prefix,
    startedAt: formatTime(run.startedAt),
    endedAt: timeOrNull(run.endedAt),
    outcome: run.outcome ?? null,
    waitingSince: timeOrNull(run.waitingSince),
    drift: totalOf(byCause),
    byCause: { ...byCause },
  };
}

/** @param runs among which is the finding's; without it the judge is not told. */
export function findingOutput(finding: Finding, runs: readonly SeenRun[]): DriftFinding {
  const { id, runId, container, name, difference, cause, state, streak, notedAt, settledAt } = finding;
  return {
    ...{ id, run: runId, judge: runs.find((run) => run.id === runId)?.judge ?? null, container, name },
    ...{ difference, cause, meaning: CAUSES[cause].meaning, state, streak },
    ...{ notedAt: formatTime(notedAt), settledAt: timeOrNull(settledAt), evidence: evidenceOutput(finding) },
  };
}

function evidenceOutput({ evidence }: Finding): DriftFinding['evidence'] {
  const { judge, index, sink, heard, look, note } = evidence;
  return {
    ...(judge && { judge: versionOutput(judge) }),
    ...(index && {
      index: { ...versionOutput(index), live: index.live, seen: formatTime(index.seen), source: index.source },
    }),
    ...(sink && { sink: versionOutput(sink) }),
    ...(heard && {
      heard: {
        ...(heard.trigger === undefined ? {} : { trigger: formatTime(heard.trigger) }),
        ...(heard.feed === undefined ? {} : { feed: formatTime(heard.feed) }),
      },
    }),
    ...(look && {
      look: {
        ...versionOutput(look),
        live: look.live,
        ...(look.at === undefined ? {} : { at: formatTime(look.at) }),
      },
    }),
    ...(note === undefined ? {} : { note }),
  };
}

function versionOutput({ etag, length, lastModified, blobType, tier, state }: SeenVersion) {
  return {
    ...(etag === undefined ? {} : { etag }),
    ...(length === undefined ? {} : { length }),
    ...(lastModified === undefined ? {} : { lastModified: formatTime(lastModified) }),
    ...(blobType === undefined ? {} : { blobType }),
    ...(tier === undefined ? {} : { tier }),
    ...(state === undefined ? {} : { state }),
  };
}

function timeOrNull(time: Timestamp | undefined): string | null {
  return time === undefined ? null : formatTime(time);
}
