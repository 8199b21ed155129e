import type { JudgeHead } from '../../activities/observability/judge-runs.ts';
import type { StatusOutput } from '../../schema/outputs/status.ts';
import { formatTime } from '../format.ts';

type Judge = StatusOutput['judges'][number];

export function judgeOutput({ judge, sink, everyMs, lastGood, last, ...head }: JudgeHead): Judge {
  const { underWay, waiting, drift, repeated } = head;
  return {
    judge,
    sink: sink ?? null,
    everyHours: everyMs === undefined ? null : everyMs / 3_600_000,
    lastGood: lastGood === undefined ? null : formatTime(lastGood),
    last:
      last?.outcome === undefined
        ? null
        : {
            run: last.id,
            prefix: last.prefix,
            outcome: last.outcome,
            reason: last.reason ?? null,
            endedAt: formatTime(last.endedAt ?? last.movedAt),
          },
    drift: { ...drift },
    repeated: { ...repeated },
    underWay:
      underWay === undefined
        ? null
        : {
            run: underWay.id,
            prefix: underWay.prefix,
            phase: underWay.phase ?? null,
            startedAt: formatTime(underWay.startedAt),
            movedAt: formatTime(underWay.movedAt),
          },
    waiting: waiting.map(({ id, prefix, waitingSince, movedAt }) => {
      return { run: id, prefix, since: formatTime(waitingSince ?? movedAt) };
    }),
  };
}
