import { ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/common';
import { type Consequence, ensureError, IsthmusError, messageOf } from '../schema/errors.ts';

/** What a workflow learns of a failed attempt beside its message. */
export interface FailureDetail {
  readonly consequence: Consequence;
}

/**
 * What an activity threw, as Temporal is to take it: its type is the stable code, and only what may get better
 * by itself is tried again. An error without a code is taken for a passing one: retries are bounded, and
 * then the workflow pauses and shows it.
 *
 * @param cancelled whether the attempt was asked to stop: its error is then the way that it stopped.
 */
export function applicationFailure(thrown: unknown, cancelled: boolean): TemporalFailure {
  if (thrown instanceof TemporalFailure) return thrown;
  const error = ensureError(thrown);
  if (cancelled && !(error instanceof IsthmusError)) return new CancelledFailure(messageOf(error), [], error);
  const consequence = error instanceof IsthmusError ? error.consequence : 'retry';
  const detail: FailureDetail = { consequence };
  return ApplicationFailure.create({
    type: error instanceof IsthmusError ? error.code : error.name,
    message: messageOf(error),
    nonRetryable: consequence !== 'retry',
    details: [detail],
    cause: error,
  });
}
