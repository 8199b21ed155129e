import type { ServiceBusClient } from '@azure/service-bus';
import { expect, it } from 'vitest';
import { ServiceBusDeadLetters } from '../../../activities/azure/service-bus-dead-letters.ts';
import { StallTimers } from './stall-timers.ts';

it('the dead letters of a queue whose other end is silent are closed within a second', async () => {
  using timers = new StallTimers(1_000);
  const client = { close: () => new Promise(() => {}) } as unknown as ServiceBusClient;
  const closing = new ServiceBusDeadLetters(client, 'q').close();
  expect(timers.standing).toBe(1);
  timers.pass(1_000);
  await closing;
});
