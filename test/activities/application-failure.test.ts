import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { applicationFailure } from '../../activities/application-failure.ts';
import { ERROR_CODES, type ErrorCode, IsthmusError } from '../../schema/errors.ts';

const codes = Object.keys(ERROR_CODES) as ErrorCode[];

describe('what Temporal is told of an error', () => {
  it.each(codes)('%s is tried again exactly where its consequence is retry', (code) => {
    const failure = applicationFailure(new IsthmusError(code, 'what happened'), false);
    const consequence = ERROR_CODES[code];
    expect(failure).toMatchObject({
      type: code,
      message: 'what happened',
      nonRetryable: consequence !== 'retry',
      details: [{ consequence }],
    });
  });

  it('an error without a code may pass, and keeps its message', () => {
    const failure = applicationFailure(new TypeError('x is undefined'), false);
    expect(failure).toMatchObject({ type: 'TypeError', message: 'x is undefined', nonRetryable: false });
  });

  it('a connection that was refused on every address keeps their messages', () => {
    const failure = applicationFailure(new AggregateError([new Error('v6 refused'), new Error('v4 refused')]), false);
    expect(failure.message).toBe('v6 refused; v4 refused');
  });

  it('what AMQP tells of a link, which is no error, keeps its words', () => {
    const told = { condition: 'amqp:unauthorized-access', description: 'no such key' };
    expect(applicationFailure(told, false)).toMatchObject({ message: 'no such key', nonRetryable: false });
    expect(applicationFailure(told, true)).toMatchObject({ message: 'no such key' });
  });

  it('of an attempt that was asked to stop is that it stopped, unless it is an error of ours', () => {
    const abort = new DOMException('aborted', 'AbortError');
    expect(applicationFailure(abort, true)).toBeInstanceOf(CancelledFailure);
    expect(applicationFailure(new IsthmusError('ISTHMUS_FEED_CORRUPT', ''), true)).toBeInstanceOf(ApplicationFailure);
  });

  it("is Temporal's own failure, untouched", () => {
    const failure = new CancelledFailure('stopped');
    expect(applicationFailure(failure, false)).toBe(failure);
  });
});
