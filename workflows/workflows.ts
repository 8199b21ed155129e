/** The entry of the workflow bundle: each export is a workflow type. */
export { deadLetterIntake } from './dead-letter-intake.ts';
export { eventHubIntake } from './event-hub-intake.ts';
export { feedTail } from './feed-tail.ts';
export { hydrate } from './hydrate.ts';
export { judgeSink } from './judge-sink.ts';
export { look } from './look.ts';
export { maintenance } from './maintenance.ts';
export { reconcile } from './reconcile.ts';
export { replay } from './replay.ts';
export { scheduledJudgeSink } from './scheduled-judge-sink.ts';
export { scheduledReconcile } from './scheduled-reconcile.ts';
export { stubDispatch } from './stub-dispatch.ts';
export { triggerIntake } from './trigger-intake.ts';
