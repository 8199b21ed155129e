import {
  allHandlersFinished,
  condition,
  continueAsNew,
  isCancellation,
  log,
  patched,
  workflowInfo,
} from '@temporalio/workflow';
import type { ReconcileInput, ReconcileSummary } from '../schema/inputs/activities.ts';
import type { Carried, JobInput } from '../schema/inputs/control.ts';
import type { UndoSummary } from '../schema/inputs/reconcile.ts';
import type { Asked, ReconcileWish } from '../schema/inputs/wish.ts';
import { steps } from './activities.ts';
import { Answers } from './answers.ts';
import { Control } from './control.ts';
import { Parked } from './parked.ts';
import { formatPlans } from './reconcile-details.ts';
import { type Reconciling, takeReconcileOrders } from './reconcile-orders.ts';
import { ReconcileRun, type RunEnd } from './reconcile-run.ts';
import { isFree, Wishes } from './wishes.ts';

/** Without a judge it begins with what waits for it: a run that was left behind, or the first wish that it is signalled. */
export type ReconcileJob = JobInput & Partial<ReconcileInput> & { readonly carried?: CarriedReconciles | undefined };

type Result = ReconcileSummary | UndoSummary;

interface CarriedReconciles extends Carried {
  readonly wishes: readonly ReconcileWish[];
  readonly first?: Result | undefined;
  readonly report: readonly string[];
}

/** Of the report of all, the newest. */
const MOST_LINES = 40;

const NOTHING: ReconcileSummary = {
  ...{ runId: 0, judge: 'none', outcome: 'nothing-to-do', reason: 'nothing was asked for' },
  ...{ listed: 0, agreed: 0, filled: 0, applied: 0, looks: 0, missing: 0 },
};

/**
 * Judgements of the index, one after the other: what it was started for, then what was wished meanwhile. Only a
 * workflow of the account's one id may do it, so that no two drive a run, or end each other's, at once.
 *
 * A run whose percent stop has tripped is parked until somebody decides. Meanwhile wishes for a prefix and undos are
 * done; those for everything wait, as they would find the same. What an ended workflow left behind is found again first.
 *
 * @returns what the first one that ended found, with a report of all of them. One that gave up keeps none of the others from being done.
 * @throws where the first one gave up, once the others are done.
 */
export async function reconcile({ federation, carried, judge, ...of }: ReconcileJob): Promise<Result> {
  const control = new Control({ federation, source: 'inventory', title: 'Reconcile' }, carried);
  const wishes = new Wishes(carried?.wishes);
  const parked = new Parked();
  const answers = new Answers();
  const reconciling: Reconciling = { control, wishes, answers, parked, isKnown: false, isAtWork: false };
  if (judge !== undefined) wishes.add({ judge, ...of });
  takeReconcileOrders(reconciling);
  const stands = patched('reconcile-stands-for-approval');
  const run = new ReconcileRun(control, stands);
  if (stands) await findParked(control, parked);
  else if (wishes.empty) await condition(() => !wishes.empty);
  reconciling.isKnown = true;

  let first: Result | undefined = carried?.first;
  const report = [...(carried?.report ?? [])];
  let failure: unknown;
  let isFirst = first === undefined;
  const serve = async (doing: object, work: () => Promise<Asked>): Promise<void> => {
    reconciling.isAtWork = true;
    try {
      const answer = await work();
      if (answer.kind !== 'approval') {
        first ??= answer.summary;
        report.push(...(answer.summary.report ?? []));
      }
      answers.tell(answer);
    } catch (error) {
      if (isCancellation(error)) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      log.error('A reconcile gave up.', { ...doing, reason });
      if (stands) control.done(`gave up: ${reason}`);
      answers.tell({ kind: 'failed', reason });
      if (isFirst) failure = error;
    }
    reconciling.isAtWork = false;
    isFirst = false;
  };

  for (;;) {
    const waits = parked.plans.length > 0;
    const decided = parked.next();
    const wish = decided === undefined ? wishes.next(waits ? isFree : undefined) : undefined;
    answers.begin(wish);
    if (decided !== undefined) await serve({ decided }, async () => asked(parked, await run.goOn(decided)));
    else if (wish !== undefined) await serve(wish, () => grant(run, parked, wish));
    else if (waits) await standStill(reconciling);
    else if (allHandlersFinished()) break;
    else await condition(() => allHandlersFinished() || !wishes.empty || parked.hasDecided);
    if (isLong() && !parked.hasDecided) {
      const next = { ...control.carried, wishes: wishes.waiting, first, report: report.slice(-MOST_LINES) };
      await continueAsNew<typeof reconcile>({ federation, carried: next });
    }
  }
  if (failure !== undefined) throw failure;
  return { ...(first ?? NOTHING), report: report.slice(-MOST_LINES) };
}

async function findParked(control: Control, parked: Parked): Promise<void> {
  const { runs } = await control.attempt('looking for what waits for a decision', () =>
    steps.standingReconciles.executeWithOptions({ summary: 'find runs that were left behind' }, []),
  );
  for (const { runId, plan } of runs) {
    if (plan === undefined) parked.decide(runId);
    else parked.park(plan);
  }
}

async function grant(run: ReconcileRun, parked: Parked, wish: ReconcileWish): Promise<Asked> {
  if ('undo' in wish) return { kind: 'undone', summary: await run.undo(wish.undo) };
  return asked(parked, await run.begin(wish));
}

/** What is answered of a run; one that waits is parked. */
function asked(parked: Parked, end: RunEnd): Asked {
  if ('summary' in end) return { kind: 'judged', summary: end.summary };
  parked.park(end.plan);
  return { kind: 'approval', runId: end.plan.runId };
}

/** Until somebody decides, or something comes that may be done meanwhile. */
async function standStill({ control, wishes, answers, parked }: Reconciling): Promise<void> {
  const [plan] = parked.plans;
  if (plan === undefined) return;
  answers.tellWaiting(wishes.waiting, { kind: 'approval', runId: plan.runId });
  const why = `run ${plan.runId} waits for a decision`;
  control.approval(why, formatPlans(parked.plans));
  await condition(() => parked.hasDecided || wishes.waiting.some(isFree) || control.paused || isLong());
  if (!isLong()) await control.resumed(why);
}

/** Whether a new run of the workflow is to go on, as this one's history has become long. */
function isLong(): boolean {
  return workflowInfo().continueAsNewSuggested && allHandlersFinished();
}
