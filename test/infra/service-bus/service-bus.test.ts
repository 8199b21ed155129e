import { ServiceBusClient, type ServiceBusReceivedMessage, type ServiceBusReceiver } from '@azure/service-bus';
import { describe, expect, it } from 'vitest';
import { publish, testBroker } from './broker.ts';

const WAIT = { maxWaitTimeInMs: 20_000 };

async function receiveOne(receiver: ServiceBusReceiver, waitMs = 30_000): Promise<ServiceBusReceivedMessage> {
  const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: waitMs });
  if (!message) throw new Error('No message came.');
  return message;
}

describe("Azure's own Service Bus client", () => {
  it('gets what it sent: body, properties, sequence numbers and times', async () => {
    await using broker = await testBroker();
    const sender = broker.client.createSender('q');
    const batch = await sender.createMessageBatch();
    expect(batch.tryAddMessage({ body: { n: 1 }, messageId: 'one', applicationProperties: { a: 'b' } })).toBe(true);
    expect(batch.tryAddMessage({ body: 'zwei ☃', messageId: 'two', subject: 's' })).toBe(true);
    await sender.sendMessages(batch);
    await sender.sendMessages({ body: Buffer.from([0, 1, 255]), messageId: 'three' });
    const receiver = broker.client.createReceiver('q');
    const before = broker.time.now();
    const messages = await receiver.receiveMessages(3, WAIT);
    expect(messages.map(({ body, messageId }) => [messageId, body])).toEqual([
      ['one', { n: 1 }],
      ['two', 'zwei ☃'],
      ['three', Buffer.from([0, 1, 255])],
    ]);
    expect(messages.map(({ sequenceNumber }) => sequenceNumber?.toNumber())).toEqual([1, 2, 3]);
    expect(messages[0]).toMatchObject({ deliveryCount: 0, applicationProperties: { a: 'b' }, state: 'active' });
    expect(messages[1]?.subject).toBe('s');
    expect(messages[0]?.lockedUntilUtc?.getTime()).toBeGreaterThan(before);
    expect(Math.abs((messages[0]?.enqueuedTimeUtc?.getTime() ?? 0) - before)).toBeLessThan(5_000);
    for (const message of messages) await receiver.completeMessage(message);
    expect(broker.bus.queueState('q')).toMatchObject({ active: 0, locked: 0, completed: 3 });
  });

  it('takes what Event Grid would deliver as parsed JSON with its properties', async () => {
    await using broker = await testBroker();
    await broker.bus.publish('q', {
      messageId: 'e',
      body: { subject: 'x' },
      applicationProperties: { 'aeg-event-type': 'Notification' },
    });
    const message = await receiveOne(broker.client.createReceiver('q'));
    expect(message.body).toEqual({ subject: 'x' });
    expect(message.applicationProperties).toEqual({ 'aeg-event-type': 'Notification' });
  });

  it('sees a message again, with a higher delivery count, when its lock has run out, and loses the old lock', async () => {
    await using broker = await testBroker({ lockMs: 400 });
    await publish(broker, 1);
    const receiver = broker.client.createReceiver('q', { maxAutoLockRenewalDurationInMs: 0 });
    const first = await receiveOne(receiver);
    const again = await receiveOne(receiver);
    expect([first.deliveryCount, again.deliveryCount]).toEqual([0, 1]);
    await expect(receiver.completeMessage(first)).rejects.toMatchObject({ code: 'MessageLockLost' });
    await receiver.completeMessage(again);
    expect(broker.bus.queueState('q')).toMatchObject({ active: 0, locked: 0 });
  });

  it('keeps a lock by renewing it', async () => {
    await using broker = await testBroker({ lockMs: 1_500 });
    await publish(broker, 1);
    const receiver = broker.client.createReceiver('q', { maxAutoLockRenewalDurationInMs: 0 });
    const message = await receiveOne(receiver);
    for (let turn = 0; turn < 3; turn++) {
      await broker.time.pass(700);
      const until = await receiver.renewMessageLock(message);
      expect(until.getTime()).toBeGreaterThan(broker.time.now());
    }
    await receiver.completeMessage(message);
    expect(broker.bus.queueState('q').completed).toBe(1);
    await expect(receiver.renewMessageLock(message)).rejects.toMatchObject({ code: 'MessageLockLost' });
  });

  it('abandons, and after the last delivery finds the message in the dead-letter queue with the reason', async () => {
    await using broker = await testBroker({ maxDeliveryCount: 2 });
    await publish(broker, 1);
    const receiver = broker.client.createReceiver('q');
    await receiver.abandonMessage(await receiveOne(receiver), { tried: 'once' });
    const second = await receiveOne(receiver);
    expect(second).toMatchObject({ deliveryCount: 1, applicationProperties: { tried: 'once' } });
    await receiver.abandonMessage(second);
    const dead = await receiveOne(broker.client.createReceiver('q', { subQueueType: 'deadLetter' }));
    expect(dead).toMatchObject({
      deadLetterReason: 'MaxDeliveryCountExceeded',
      messageId: 'id-0',
      deadLetterSource: 'q',
    });
  });

  it('dead-letters with reason and description, and empties the dead-letter queue', async () => {
    await using broker = await testBroker();
    await publish(broker, 1);
    const receiver = broker.client.createReceiver('q');
    await receiver.deadLetterMessage(await receiveOne(receiver), {
      deadLetterReason: 'not JSON',
      deadLetterErrorDescription: 'at 3',
      seen: 'yes',
    });
    expect(broker.bus.queueState('q')).toMatchObject({ active: 0, deadLettered: 1 });
    const deadLetters = broker.client.createReceiver('q', { subQueueType: 'deadLetter' });
    expect(await deadLetters.peekMessages(5)).toHaveLength(1);
    const dead = await receiveOne(deadLetters);
    expect(dead).toMatchObject({
      deadLetterReason: 'not JSON',
      deadLetterErrorDescription: 'at 3',
      applicationProperties: { seen: 'yes' },
    });
    await deadLetters.completeMessage(dead);
    expect(broker.bus.queueState('q').deadLettered).toBe(0);
  });

  it('defers a message and completes it by its sequence number', async () => {
    await using broker = await testBroker();
    await publish(broker, 1);
    const receiver = broker.client.createReceiver('q');
    const message = await receiveOne(receiver);
    await receiver.deferMessage(message);
    expect(await receiver.receiveMessages(1, { maxWaitTimeInMs: 200 })).toHaveLength(0);
    const sequence = message.sequenceNumber;
    if (!sequence) throw new Error('A message has a sequence number.');
    const [deferred] = await receiver.receiveDeferredMessages(sequence);
    if (!deferred) throw new Error('The deferred message is there.');
    expect(deferred.messageId).toBe('id-0');
    await receiver.completeMessage(deferred);
    expect(broker.bus.queueState('q')).toMatchObject({ deferred: 0, locked: 0, completed: 1 });
    await expect(receiver.receiveDeferredMessages(sequence)).rejects.toMatchObject({ code: 'MessageNotFound' });
  });

  it('peeks in pages, locked messages as well, without locking any', async () => {
    await using broker = await testBroker();
    await publish(broker, 5);
    const receiver = broker.client.createReceiver('q');
    await receiveOne(receiver);
    const peeker = broker.client.createReceiver('q');
    const pages = [await peeker.peekMessages(3), await peeker.peekMessages(3), await peeker.peekMessages(3)];
    expect(pages.map((page) => page.map(({ messageId }) => messageId))).toEqual([
      ['id-0', 'id-1', 'id-2'],
      ['id-3', 'id-4'],
      [],
    ]);
    expect(broker.bus.queueState('q')).toMatchObject({ active: 4, locked: 1 });
  });

  it('has one of two messages with one id where duplicates are detected', async () => {
    await using broker = await testBroker({ duplicateWindowMs: 60_000 });
    const sender = broker.client.createSender('q');
    await sender.sendMessages([
      { body: 1, messageId: 'same' },
      { body: 2, messageId: 'other' },
    ]);
    await sender.sendMessages({ body: 3, messageId: 'same' });
    const messages = await broker.client.createReceiver('q').receiveMessages(5, WAIT);
    expect(messages.map(({ body }) => body)).toEqual([1, 2]);
  });

  it('receives and deletes', async () => {
    await using broker = await testBroker();
    await publish(broker, 3_000);
    const receiver = broker.client.createReceiver('q', { receiveMode: 'receiveAndDelete' });
    let received = 0;
    while (received < 3_000) received += (await receiver.receiveMessages(1_000, WAIT)).length;
    expect(broker.bus.queueState('q')).toMatchObject({ active: 0, locked: 0, completed: 3_000 });
  });

  it('is told that a queue does not exist, and that sessions and schedules are not there', async () => {
    await using broker = await testBroker();
    await expect(broker.client.createReceiver('nowhere').receiveMessages(1, WAIT)).rejects.toMatchObject({
      code: 'MessagingEntityNotFound',
    });
    await expect(broker.client.createSender('nowhere').sendMessages({ body: 1 })).rejects.toMatchObject({
      code: 'MessagingEntityNotFound',
    });
    await expect(broker.client.acceptSession('q', 's')).rejects.toThrow();
    const sender = broker.client.createSender('q');
    await expect(sender.sendMessages({ body: 1, sessionId: 's' })).rejects.toThrow(/no sessions/);
    await expect(sender.scheduleMessages({ body: 1 }, new Date(Date.now() + 60_000))).rejects.toThrow(/does not do/);
  });

  it.each([
    ['key', /SharedAccessKey=[^;]+/, 'SharedAccessKey=wrong'],
    ['policy', /SharedAccessKeyName=[^;]+/, 'SharedAccessKeyName=nobody'],
    [
      'signature, which has expired,',
      /SharedAccessKeyName=.*;Use/,
      'SharedAccessSignature=SharedAccessSignature sr=sb%3A%2F%2F127.0.0.1%2Fq&sig=6cC2rZbR4nWF&se=1&skn=RootManageSharedAccessKey;Use',
    ],
  ])('is refused as by Azure with a %s that is wrong', async (_, from, to) => {
    await using broker = await testBroker();
    const connection = broker.bus.connectionString.replace(from, to);
    expect(connection).not.toBe(broker.bus.connectionString);
    const client = new ServiceBusClient(connection, { retryOptions: { maxRetries: 0 } });
    try {
      const refused = { code: 'UnauthorizedAccess', message: expect.stringContaining('InvalidSignature') };
      await expect(client.createSender('q').sendMessages({ body: 1 })).rejects.toMatchObject(refused);
      await expect(client.createReceiver('q').peekMessages(1)).rejects.toMatchObject(refused);
      expect(broker.bus.queueState('q')).toMatchObject({ active: 0 });
    } finally {
      await client.close();
    }
  });
});
