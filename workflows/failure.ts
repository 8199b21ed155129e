import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';

/** What `activities/` says in a failure's details of what is to be done next. */
interface FailureDetail {
  readonly consequence?: 'retry' | 'pause' | 'give-up';
}

/** A failed activity, in one sentence for people: which one, the stable code, what happened. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof ActivityFailure)) return error instanceof Error ? error.message : String(error);
  const { cause } = error;
  if (cause instanceof ApplicationFailure) {
    const message = cause.message;
    return cause.type === undefined || cause.type === null || cause.type === 'Error'
      ? `${error.activityType}: ${message}`
      : `${error.activityType}: ${cause.type}: ${message}`;
  }
  if (cause instanceof TimeoutFailure) {
    const before = cause.cause instanceof Error ? `; before that: ${cause.cause.message}` : '';
    return `${error.activityType} did not answer in time (${cause.timeoutType})${before}`;
  }
  return `${error.activityType}: ${cause?.message ?? error.message}`;
}

/**
 * What whoever asked is answered with. It has no stack: Temporal's UI would show it below the sentence, of which it
 * explains nothing.
 */
export function refusal(message: string, type: string): ApplicationFailure {
  const failure = ApplicationFailure.nonRetryable(message, type);
  failure.stack = '';
  return failure;
}

/** Whether the request is to end rather than to wait for an operator. */
export function isGiveUp(error: unknown): boolean {
  return refusalOf(error) !== undefined;
}

/** What whoever asked is to be told of a request that ended, in the words of what ended it; undefined where it did not. */
export function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof ActivityFailure) || !(error.cause instanceof ApplicationFailure)) return undefined;
  const detail = error.cause.details?.[0] as FailureDetail | undefined;
  return detail?.consequence === 'give-up' ? error.cause.message : undefined;
}
