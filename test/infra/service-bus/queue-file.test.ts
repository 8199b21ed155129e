import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceBusClient } from '@azure/service-bus';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageQueue, type QueueOptions } from '../../../infra/local/service-bus/message-queue.ts';
import { QueueFile } from '../../../infra/local/service-bus/queue-file.ts';
import { startServiceBus } from '../../../infra/local/service-bus/service-bus.ts';

const OPTIONS: QueueOptions = { name: 'q', lockMs: 30_000, maxDeliveryCount: 3, duplicateWindowMs: 0 };

async function temporaryFile(): Promise<AsyncDisposable & { readonly file: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'isthmus-test-'));
  return {
    file: path.join(folder, 'queues.jsonl'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

function openQueue(file: string): { readonly queue: MessageQueue; readonly log: QueueFile } {
  const log = new QueueFile(file);
  const queue = new MessageQueue(OPTIONS, log);
  log.open([queue, ...(queue.deadLetters ? [queue.deadLetters] : [])]);
  return { queue, log };
}

/** What a queue holds, without its locks: those are over after a restart. */
function heldBy(queue: MessageQueue | undefined): unknown[] {
  return [...(queue?.messages() ?? [])].map(({ sequence, enqueuedAt, deliveryCount, deferred, content }) => {
    return [
      sequence,
      enqueuedAt,
      deliveryCount,
      deferred,
      content.message_id,
      content.body,
      content.application_properties,
    ];
  });
}

describe('the file of a broker', () => {
  it('gives back every message that was not settled, as it was, whatever happened before', async () => {
    await using temporary = await temporaryFile();
    const step = fc.constantFrom('enqueue', 'enqueue', 'complete', 'abandon', 'defer', 'deadLetter', 'restart');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        await rm(temporary.file, { force: true });
        let { queue, log } = openQueue(temporary.file);
        for (const [at, what] of steps.entries()) {
          if (what === 'restart') {
            const before = [heldBy(queue), heldBy(queue.deadLetters)];
            log.close();
            ({ queue, log } = openQueue(temporary.file));
            expect([heldBy(queue), heldBy(queue.deadLetters)]).toEqual(before);
          } else if (what === 'enqueue') queue.enqueue({ message_id: `${at}`, body: `é${at}` }, at);
          else {
            const locked = queue.lock(at);
            if (locked) queue[what](locked.token, at, { why: 'so' });
          }
        }
        log.close();
      }),
      { numRuns: 60 },
    );
  });

  it('drops a last line that a kill has cut, and does not grow with what is settled', async () => {
    await using temporary = await temporaryFile();
    const first = openQueue(temporary.file);
    for (let at = 0; at < 60_000; at++) {
      first.queue.enqueue({ message_id: `${at}`, body: 'x' }, at);
      if (at > 0) first.queue.take();
      if (at % 1_000 === 999) first.log.flush();
    }
    first.log.close();
    expect((await readFile(temporary.file, 'utf8')).split('\n').length).toBeLessThan(60_000);
    await appendFile(temporary.file, '["+","q",99');
    const second = openQueue(temporary.file);
    expect(heldBy(second.queue).map((held) => (held as unknown[])[0])).toEqual([60_000]);
    expect((await readFile(temporary.file, 'utf8')).trimEnd().split('\n')).toHaveLength(1);
    second.log.close();
  });

  it('has what a client sent when the broker comes back, the dead-letter queue too', async () => {
    await using temporary = await temporaryFile();
    const options = { port: 0, queues: [OPTIONS], file: temporary.file };
    const first = await startServiceBus(options);
    const client = new ServiceBusClient(first.connectionString);
    await client.createSender('q').sendMessages([{ body: { n: 1 } }, { body: { n: 2 } }, { body: { n: 3 } }]);
    const receiver = client.createReceiver('q');
    const [one, two] = await receiver.receiveMessages(2, { maxWaitTimeInMs: 20_000 });
    if (!one || !two) throw new Error('Two messages are there.');
    await receiver.completeMessage(one);
    await receiver.deadLetterMessage(two, { deadLetterReason: 'odd', deadLetterErrorDescription: '' });
    await client.close();
    await sleep(200);
    await first.stop();

    const second = await startServiceBus(options);
    try {
      expect(second.queueState('q')).toMatchObject({ active: 1, deadLettered: 1 });
      const again = new ServiceBusClient(second.connectionString);
      const [three] = await again.createReceiver('q').receiveMessages(1, { maxWaitTimeInMs: 20_000 });
      expect(three?.body).toEqual({ n: 3 });
      const [dead] = await again.createReceiver('q', { subQueueType: 'deadLetter' }).peekMessages(1);
      expect(dead).toMatchObject({ body: { n: 2 }, deadLetterReason: 'odd', deadLetterSource: 'q' });
      await again.close();
    } finally {
      await second.stop();
    }
  });
});
