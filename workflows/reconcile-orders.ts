import { condition, defineSignal, defineUpdate, log, setHandler } from '@temporalio/workflow';
import type { Progress } from '../schema/inputs/control.ts';
import { WISH } from '../schema/inputs/names.ts';
import { checkDecide, DECIDE, type DecideRequest, decisionOf } from '../schema/inputs/reconcile.ts';
import { ASK, type Asked, checkWish, type ReconcileWish } from '../schema/inputs/wish.ts';
import { accept } from './accept.ts';
import { orders } from './activities.ts';
import type { Answers } from './answers.ts';
import type { Control } from './control.ts';
import { refusal } from './failure.ts';
import type { Parked } from './parked.ts';
import { told } from './told.ts';
import { isFree, type Wishes } from './wishes.ts';

const wishSignal = defineSignal<[ReconcileWish]>(WISH);
const askUpdate = defineUpdate<Asked, [ReconcileWish]>(ASK);
const decideUpdate = defineUpdate<Progress, [DecideRequest]>(DECIDE);

/** What the workflow that reconciles an account holds between its orders and its work. */
export interface Reconciling {
  readonly control: Control;
  readonly wishes: Wishes;
  readonly answers: Answers;
  readonly parked: Parked;
  /** Whether what an ended workflow left behind has been looked for. */
  isKnown: boolean;
  /** Whether a run is under way, which may have come to wait without being parked yet. */
  isAtWork: boolean;
}

/** What can be asked of it at any moment: the signal `wish`, and the updates `ask` and `decide`. */
export function takeReconcileOrders(reconciling: Reconciling): void {
  const { wishes, answers } = reconciling;
  const add = (wish: ReconcileWish) => {
    const dropped = wishes.add(wish);
    if (dropped === undefined) return;
    log.warn('The oldest wish made room for a new one.', { ...dropped });
    answers.tellWaiting([dropped], { kind: 'failed', reason: 'newer wishes took its place: ask again' });
  };
  setHandler(wishSignal, add);
  setHandler(
    askUpdate,
    async (wish) => {
      add(wish);
      await condition(() => reconciling.isKnown);
      const [plan] = reconciling.parked.plans;
      if (plan !== undefined && !isFree(wish)) return { kind: 'approval', runId: plan.runId };
      const answer = await answers.of(wish, wishes);
      if (answer.kind === 'failed') throw refusal(answer.reason, 'ISTHMUS_GIVEN_UP');
      return answer;
    },
    {
      description: 'Judges, and answers what came of it: {"judge": "listing"}, with "prefix"; or {"undo": RUN}.',
      validator: (wish) => void accept(checkWish(wish)),
    },
  );
  setHandler(decideUpdate, (request) => decide(reconciling, decisionOf(request)), {
    description: 'Decides of a run that waits: {"run": 12, "decision": "approved", "who": "..."}, or "rejected".',
    validator: (request) => {
      const { run } = accept(checkDecide(request));
      const { isKnown, isAtWork, parked } = reconciling;
      if (isKnown && !isAtWork && !parked.waits(run)) throw notWaiting(run);
    },
  });
}

/** The index keeps the first decision, so that of two at once the other is told that it came late. */
async function decide(reconciling: Reconciling, request: DecideRequest): Promise<Progress> {
  const { control, parked } = reconciling;
  const { run, decision, who } = request;
  await condition(() => reconciling.isKnown);
  if (!reconciling.isAtWork && !parked.waits(run)) throw notWaiting(run);
  const summary = `${decision} by ${who}`;
  const { decided } = await told(orders.decideReconcile.executeWithOptions({ summary }, [request]));
  if (decided === 'decided' || parked.waits(run)) parked.decide(run);
  if (decided === 'late') throw notWaiting(run);
  return control.progress();
}

function notWaiting(run: number): Error {
  return refusal(`Run ${run} does not wait for a decision: \`isthmus reconcile history\` says why.`, 'ISTHMUS_REFUSED');
}
