import { describe, expect, it } from 'vitest';
import { namespaceOf } from '../../../cli/doctor/bus-namespace.ts';
import { judgeHub, judgeHubFailure } from '../../../cli/doctor/judge-hub.ts';
import { notGood } from './not-good.ts';

const NAMED = { eventHub: 'events', consumerGroup: '$Default', namespace: 'contoso', readers: 2 };

describe('an event hub', () => {
  it('that may be read is no finding', () => {
    expect(notGood(judgeHub({ partitions: 4 }, NAMED))).toEqual([]);
  });

  it('with fewer partitions than readers is warned of', () => {
    expect(notGood(judgeHub({ partitions: 1 }, NAMED))).toMatchObject([
      { outcome: 'warning', check: 'hub.partitions', mend: 'Set sources.eventHubs.readers to 1.' },
    ]);
  });

  it.each([
    ['MessagingEntityNotFoundError', /eventhub create .* -n events .*consumer-group create .* -n '\$Default'/],
    ['UnauthorizedError', /Azure Event Hubs Data Receiver/],
    ['QuotaExceededError', /consumer-group create/],
    ['ServiceCommunicationError', /port 5671/],
  ])('that cannot be read for %s is told with what mends it', (code, mend) => {
    const found = judgeHubFailure(Object.assign(new Error('no'), { code }), NAMED);
    expect(found).toMatchObject({ outcome: 'wrong', check: 'hub.receive' });
    expect(found.mend).toMatch(mend);
  });

  it('with a key that is wrong is told to take another key, which no role mends', () => {
    const error = new Error('InvalidSignature: The token has an invalid signature.');
    const { mend } = judgeHubFailure(Object.assign(error, { code: 'UnauthorizedError' }), NAMED);
    expect(mend).toMatch(/^The key .*eventhubs namespace authorization-rule keys list .*--namespace-name contoso/);
  });

  it('is of the namespace that its host begins with', () => {
    expect(namespaceOf({ namespace: 'contoso.servicebus.windows.net' })).toBe('contoso');
    expect(namespaceOf({ connectionString: 'Endpoint=sb://fabrikam.servicebus.windows.net/;SharedAccessKey=x' })).toBe(
      'fabrikam',
    );
  });
});
