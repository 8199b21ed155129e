/** What is measured: the worker's own reconcile by the newest report, from its search to its end, with the worker's own looks beside it. */
import { lookActivities } from '../../activities/answer-looks.ts';
import { finishReconcileRun } from '../../reconciler/finish.ts';
import { judgeRun } from '../../reconciler/judge/judge-run.ts';
import { prepareRun } from '../../reconciler/prepare.ts';
import { stageRun } from '../../reconciler/stage.ts';
import type { ReconcileSummary } from '../../schema/inputs/activities.ts';
import { asActivity } from '../as-activity.ts';
import { type BenchPlaces, benchServices } from '../bench-services.ts';
import { argumentOf, peakRssMiB, say } from '../child.ts';

export interface RunFigures {
  readonly summary: ReconcileSummary;
  readonly seconds: number;
  readonly peakRssMiB: number;
  readonly cpuSeconds: number;
}

const A_DAY = 24 * 3_600;
const services = await benchServices(argumentOf<BenchPlaces>());
const over = new AbortController();
const { signal } = new AbortController();
const looks = asActivity(() => lookActivities(services).answerLooks({ seconds: A_DAY }), over.signal);

const before = process.cpuUsage();
const began = performance.now();
const { runId, judge, reason } = await prepareRun(services, { judge: 'inventory' }, signal);
if (judge !== 'inventory') throw new Error(`The report was not taken: ${reason}`);
await stageRun(services, runId, signal);
const { state } = await judgeRun(services, runId, signal);
if (state.phase === 'approve') throw new Error('A percent stop tripped: less drift must be planted.');
const summary = await finishReconcileRun(services, runId, { mostMs: A_DAY * 1_000, pollMs: 50 }, signal);
const seconds = (performance.now() - began) / 1_000;
const { user, system } = process.cpuUsage(before);
over.abort();
await looks;
const figures: RunFigures = { summary, seconds, peakRssMiB: peakRssMiB(), cpuSeconds: (user + system) / 1e6 };
say(figures);
await services.index.close();
process.exit(0);
