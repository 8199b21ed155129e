import { describe, expect, it } from 'vitest';
import { judgeFeed, judgeFeedFailure } from '../../../cli/doctor/judge-feed.ts';
import { FeedCorruptError, FeedUnavailableError } from '../../../schema/feed/feed-error.ts';
import type { SourceRow } from '../../../schema/index/sources.ts';

const row = (state: string, detail: unknown): SourceRow => ({
  accountId: 1,
  source: 'feed',
  state,
  detail,
  reason: 'it is no longer written',
  updatedAt: 0,
});

describe('a change feed', () => {
  it('that may be read is good, with or without a segment', () => {
    expect(judgeFeed(0, row('tailing', {}), 'lake').outcome).toBe('good');
    expect(judgeFeed(undefined, undefined, 'lake').outcome).toBe('good');
  });

  it('that may be read and is no longer written is wrong, as its tail has found', () => {
    const found = judgeFeed(0, row('no-feed', { why: 'disabled' }), 'lake');
    expect(found).toMatchObject({ outcome: 'wrong', says: 'lake: it is no longer written' });
    expect(found.mend).toContain('--enable-change-feed true');
  });

  it.each([
    ['not-enabled', /--enable-change-feed true/],
    ['missing', /--enable-change-feed true/],
    ['hierarchical', /sources\.changeFeed out/],
    ['forbidden', /role assignment create/],
  ] as const)('that is %s is wrong, with what mends it', (why, mend) => {
    const found = judgeFeedFailure(new FeedUnavailableError(why, 'there is none'), 'lake');
    expect(found).toMatchObject({ outcome: 'wrong', check: 'feed.readable' });
    expect(found.mend).toMatch(mend);
  });

  it('that is damaged, or does not answer, is wrong', () => {
    expect(judgeFeedFailure(new FeedCorruptError('meta/segments.json', 0, 'no JSON'), 'lake').mend).toContain(
      'feed verify',
    );
    expect(judgeFeedFailure(new Error('the change feed did not answer within 10 s'), 'lake').says).toContain(
      'within 10 s',
    );
  });
});
