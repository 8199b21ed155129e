import { describe, expect, it } from 'vitest';
import type { QueueSettings } from '../../../activities/azure/queue-questions.ts';
import { durationMs } from '../../../cli/doctor/iso-duration.ts';
import { judgeQueue, judgeQueueFailure } from '../../../cli/doctor/judge-queue.ts';
import { notGood } from './not-good.ts';

const NAMED = { queue: 'events', namespace: 'contoso' };
const NEVER = 'P10675199DT2H48M5.4775807S';
const SOUND: QueueSettings = {
  lockDuration: 'PT1M',
  maxDeliveryCount: 100,
  requiresDuplicateDetection: true,
  duplicateDetectionHistoryTimeWindow: 'PT10M',
  requiresSession: false,
  deadLetteringOnMessageExpiration: false,
  defaultMessageTimeToLive: NEVER,
  autoDeleteOnIdle: NEVER,
  status: 'Active',
};

describe("a queue's settings", () => {
  it('are no finding where they are as they must be', () => {
    expect(notGood(judgeQueue(SOUND, NAMED))).toEqual([]);
    const expiring = { ...SOUND, defaultMessageTimeToLive: 'P14D', deadLetteringOnMessageExpiration: true };
    expect(notGood(judgeQueue(expiring, NAMED))).toEqual([]);
  });

  it.each<[string, Partial<QueueSettings>, string, string, RegExp]>([
    ['a lock of 5 s', { lockDuration: 'PT5S' }, 'wrong', 'queue.lock', /--lock-duration PT1M/],
    ['a lock of 20 s', { lockDuration: 'PT20S' }, 'warning', 'queue.lock', /--lock-duration PT1M/],
    ['one delivery', { maxDeliveryCount: 1 }, 'wrong', 'queue.deliveries', /--max-delivery-count/],
    ['five deliveries', { maxDeliveryCount: 5 }, 'warning', 'queue.deliveries', /--max-delivery-count/],
    [
      'no duplicate detection',
      { requiresDuplicateDetection: false },
      'warning',
      'queue.duplicates',
      /--duplicate-detection true/,
    ],
    ['sessions', { requiresSession: true }, 'wrong', 'queue.state', /without sessions/],
    ['a queue that is disabled', { status: 'Disabled' }, 'wrong', 'queue.state', /--status Active/],
    ['a queue that takes nothing', { status: 'SendDisabled' }, 'wrong', 'queue.state', /--status Active/],
    ['a queue that forwards', { forwardTo: 'other' }, 'wrong', 'queue.state', /--forward-to/],
    [
      'messages that expire without a trace',
      { defaultMessageTimeToLive: 'P14D' },
      'warning',
      'queue.expiry',
      /--enable-dead-lettering-on-message-expiration true/,
    ],
    [
      'messages that expire within an hour',
      { defaultMessageTimeToLive: 'PT1H', deadLetteringOnMessageExpiration: true },
      'warning',
      'queue.expiry',
      /--default-message-time-to-live/,
    ],
    ['a queue that goes by itself', { autoDeleteOnIdle: 'P1D' }, 'warning', 'queue.expiry', /--auto-delete-on-idle/],
  ])('name %s, and what mends it', (_, changed, outcome, check, mend) => {
    const found = notGood(judgeQueue({ ...SOUND, ...changed }, NAMED));
    expect(found.map((finding) => [finding.outcome, finding.check])).toEqual([[outcome, check]]);
    expect(found[0]?.mend).toMatch(mend);
  });

  it.each([
    ['MessagingEntityNotFound', /servicebus queue create .* -n events/],
    ['UnauthorizedAccess', /Azure Service Bus Data Receiver/],
    ['MessagingEntityDisabled', /--status Active/],
    ['ServiceTimeout', /port 5671/],
  ])('that cannot be listened to for %s is told with what mends it', (code, mend) => {
    const found = judgeQueueFailure(Object.assign(new Error('no'), { code }), NAMED);
    expect(found).toMatchObject({ outcome: 'wrong', check: 'queue.receive' });
    expect(found.mend).toMatch(mend);
  });

  it('with a key that is wrong is told to take another key, which no role mends', () => {
    const error = new Error('InvalidSignature: The token has an invalid signature.');
    const { mend } = judgeQueueFailure(Object.assign(error, { code: 'UnauthorizedAccess' }), NAMED);
    expect(mend).toMatch(/^The key .*servicebus namespace authorization-rule keys list .*--namespace-name contoso/);
    expect(mend).not.toContain('role assignment');
  });
});

describe('a duration as Service Bus prints it', () => {
  it.each([
    ['PT1M', 60_000],
    ['PT5M30.5S', 330_500],
    ['P14D', 1_209_600_000],
    ['P1DT2H', 93_600_000],
    [NEVER, Number.POSITIVE_INFINITY],
    ['a minute', undefined],
    [undefined, undefined],
  ])('%s is %d ms', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });
});
