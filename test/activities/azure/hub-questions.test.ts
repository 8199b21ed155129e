import { describe, expect, it } from 'vitest';
import { eventHubsClient } from '../../../activities/azure/event-hubs-client.ts';
import { askHub } from '../../../activities/azure/hub-questions.ts';
import { type RunningEventHubs, startEventHubs } from '../../../infra/local/event-hubs/event-hubs.ts';

const { signal } = new AbortController();

async function withHub(work: (hubs: RunningEventHubs) => Promise<void>): Promise<void> {
  const hubs = await startEventHubs({ port: 0, hubs: [{ name: 'events', partitions: 4 }] });
  try {
    await work(hubs);
  } finally {
    await hubs.stop();
  }
}

describe('a question to an event hub', () => {
  it('is answered with its partitions, and leaves no reader', async () => {
    await withHub(async (hubs) => {
      const source = { eventHub: 'events', consumerGroup: '$Default', connectionString: hubs.connectionString };
      expect(await askHub(source, signal)).toEqual({ partitions: 4 });
      await expect
        .poll(() => Object.values(hubs.hubState('events')).map(({ readers }) => readers))
        .toEqual([0, 0, 0, 0]);
    });
  });

  it('that has no such hub, or no such consumer group, is an error', async () => {
    await withHub(async ({ connectionString }) => {
      const code = { code: 'MessagingEntityNotFoundError' };
      const asking = (eventHub: string, consumerGroup: string) =>
        askHub({ eventHub, consumerGroup, connectionString }, signal);
      await expect(asking('nowhere', '$Default')).rejects.toMatchObject(code);
      await expect(asking('events', 'nobody')).rejects.toMatchObject(code);
    });
  });

  it('is answered while a worker reads with an owner level, whom it does not disturb', async () => {
    await withHub(async (hubs) => {
      const source = { eventHub: 'events', consumerGroup: '$Default', connectionString: hubs.connectionString };
      const client = eventHubsClient(source);
      const seen: unknown[] = [];
      const errors: unknown[] = [];
      const subscription = client.subscribe(
        '0',
        {
          processEvents: async (events) => void seen.push(...events.map(({ body }) => body)),
          processError: async (error) => void errors.push(error),
        },
        { ownerLevel: 0, startPosition: { offset: '-1' }, maxWaitTimeInSeconds: 1 },
      );
      try {
        await expect.poll(() => hubs.hubState('events')['0']?.readers).toBe(1);
        expect(await askHub(source, signal)).toEqual({ partitions: 4 });
        for (let at = 0; at < 4; at++) await hubs.publish('events', { messageId: String(at), body: { at } });
        await expect.poll(() => seen.length).toBe(1);
        expect(errors).toEqual([]);
      } finally {
        await subscription.close();
        await client.close();
      }
    });
  });
});
