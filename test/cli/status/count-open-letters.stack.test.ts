import { describe, expect, it } from 'vitest';
import type { OpenAccount } from '../../../cli/open-account.ts';
import { countOpenLetters } from '../../../cli/status/count-open-letters.ts';
import { ensureAccount } from '../../../schema/index/accounts.ts';
import { keepDeadLetters, type NewDeadLetter } from '../../../schema/index/dead-letters.ts';
import { transact } from '../../../schema/index/transact.ts';
import { testBroker } from '../../infra/service-bus/broker.ts';
import { testIndex } from '../../support/postgres.ts';

const { signal } = new AbortController();

describe('the dead letters of a status', () => {
  it("are those of the index where the queue does not tell its own, with the queue's reason", async () => {
    await using db = await testIndex();
    await using broker = await testBroker();
    const account = await ensureAccount(db.index, 'contoso');
    const told = { body: {}, description: 'x', enqueuedAt: 0, reason: 'not-json' };
    const letters = (['event-hubs', 'event-grid'] as const).map(
      (origin): NewDeadLetter => ({ ...told, origin, messageId: origin }),
    );
    await transact(db.index, (tx) => keepDeadLetters(tx, account.id, letters));
    const counted = (connectionString: string) => {
      const federation = { sources: { serviceBus: { connectionString, queue: 'q' } } };
      return countOpenLetters({ federation, index: db.index, account } as unknown as OpenAccount, signal);
    };
    const kept = [
      { origin: 'event-grid', reason: 'not-json', count: 1, atLeast: false },
      { origin: 'event-hubs', reason: 'not-json', count: 1, atLeast: false },
    ];
    const { connectionString } = broker.bus;
    expect(await counted(connectionString)).toEqual({ deadLetters: kept, deadLettersUncounted: null });
    const wrongKey = connectionString.replace(/SharedAccessKey=[^;]+/, 'SharedAccessKey=bm90LWl0cy1rZXk=');
    expect(await counted(wrongKey)).toEqual({
      deadLetters: kept,
      deadLettersUncounted: expect.stringMatching(/^Dead letters of Service Bus queue q: InvalidSignature/),
    });
  });
});
