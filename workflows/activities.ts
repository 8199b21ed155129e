import { ActivityCancellationType, proxyActivities, type RetryPolicy } from '@temporalio/workflow';
import type { Activities } from '../schema/inputs/activities.ts';

/** Half an hour of trouble; then the workflow pauses and says why. An attempt that a dead worker held counts too. */
const retry: RetryPolicy = {
  initialInterval: '250ms',
  backoffCoefficient: 2,
  maximumInterval: '5s',
  maximumAttempts: 360,
};

/** Every activity heartbeats each second, so a worker that died is known within this time. */
const heartbeatTimeout = '6s';

/** Cancelling waits until the attempt has ended: after a pause nothing is under way. */
const cancellationType = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED;

/** One turn of a loop: it returns by itself after its seconds; far above them it is taken for stuck. */
export const turns = proxyActivities<Activities>({
  startToCloseTimeout: '10m',
  heartbeatTimeout,
  cancellationType,
  retry,
});

/** One step of a job, as long as the account is large. */
export const steps = proxyActivities<Activities>({
  startToCloseTimeout: '7d',
  heartbeatTimeout,
  cancellationType,
  retry,
});

/** What an operator asked for in an update and waits for: after these attempts the update says what is wrong. */
export const orders = proxyActivities<Activities>({
  startToCloseTimeout: '2m',
  heartbeatTimeout,
  retry: { ...retry, maximumAttempts: 10 },
});

/** What is only shown: where it fails, what was shown before stays. */
export const glances = proxyActivities<Activities>({
  startToCloseTimeout: '20s',
  scheduleToStartTimeout: '20s',
  cancellationType: ActivityCancellationType.TRY_CANCEL,
  retry: { maximumAttempts: 1 },
});
