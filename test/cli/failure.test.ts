import { describe, expect, it } from 'vitest';
import { exitCodeOf, formatFailure } from '../../cli/failure.ts';
import { IsthmusError } from '../../schema/errors.ts';
import { FeedGapError } from '../../schema/feed/feed-error.ts';

const withCode = (message: string, code: string) => Object.assign(new Error(message), { code });

describe('a failure', () => {
  it('of ours is its code and its message', () => {
    const error = new IsthmusError('ISTHMUS_CONFIG', 'federation.yaml is not a federation:\n  3:5 name: is missing');
    expect(formatFailure(error)).toBe('ISTHMUS_CONFIG: federation.yaml is not a federation:\n  3:5 name: is missing');
  });

  it('never holds control characters of a name, and keeps its lines', () => {
    const gap = new FeedGapError('log/\u001b[31m\nok', 'is gone');
    expect(formatFailure(gap)).toMatch(/^ISTHMUS_FEED_GAP: log\/\\u001b\[31m\\u000aok is gone/);
    expect(formatFailure(new Error('a\u001b[31m'))).toContain('isthmus failed: a\\u001b[31m\n');
  });

  it('of a connection says what to do', () => {
    const refused = withCode('connect ECONNREFUSED 127.0.0.1:5432', 'ECONNREFUSED');
    const text = formatFailure(new AggregateError([refused], ''));
    expect(text).toContain('connect ECONNREFUSED 127.0.0.1:5432 (ECONNREFUSED)');
    expect(text).toContain('Nothing listens there');
  });

  it('of something that is no error is shown all the same', () => {
    expect(formatFailure('gone')).toContain('isthmus failed: gone');
    expect(formatFailure({ condition: 'amqp:not-found', description: 'no such queue' })).toContain('no such queue');
  });

  it('that is its own cause is shown all the same', () => {
    const looped = new TypeError('');
    looped.cause = looped;
    expect(formatFailure(looped)).toContain('isthmus failed: TypeError');
  });

  it.each([
    [new IsthmusError('ISTHMUS_USAGE', ''), 64],
    [new IsthmusError('ISTHMUS_CONFIG', ''), 64],
    [new IsthmusError('ISTHMUS_INDEX_UNAVAILABLE', ''), 3],
    [new Error('anything'), 3],
    ['anything', 3],
  ])('%s ends with exit code %i', (error, code) => {
    expect(exitCodeOf(error)).toBe(code);
  });
});
