import { isEmulator, peekQueue, readQueueSettings } from '../../activities/azure/queue-questions.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { type Asking, ask } from './ask.ts';
import { namespaceOf } from './bus-namespace.ts';
import { type Finding, good, unknown } from './finding.ts';
import { judgeQueue, judgeQueueFailure, type NamedQueue } from './judge-queue.ts';

type ServiceBus = NonNullable<Federation['sources']['serviceBus']>;

/** Peeks at the queue, as an intake would receive from it, and reads its settings where the management plane lets one. */
export async function* checkQueue(bus: ServiceBus, asking: Asking): AsyncGenerator<Finding> {
  const named: NamedQueue = { queue: bus.queue, namespace: namespaceOf(bus) };
  const peeked = await ask(asking, `queue ${bus.queue}`, (signal) => peekQueue(bus, signal));
  if (!peeked.answered) {
    yield judgeQueueFailure(peeked.error, named);
    return;
  }
  yield good('queue.receive', `queue ${bus.queue} answers and may be listened to`);

  const check = 'queue.settings';
  const show = `az servicebus queue show -g GROUP --namespace-name ${named.namespace} -n ${bus.queue}`;
  if (isEmulator(bus)) {
    yield unknown(check, 'an emulator has no management plane that tells them');
    return;
  }
  const asked = await ask(asking, `the settings of queue ${bus.queue}`, (signal) => readQueueSettings(bus, signal));
  if (asked.answered) yield* judgeQueue(asked.answer, named);
  else {
    const { message } = asked.error instanceof Error ? asked.error : { message: String(asked.error) };
    yield unknown(
      check,
      `the management plane did not tell them, which takes the right to manage (${message.split('\n')[0]})`,
      `See that lockDuration is PT30S or more, maxDeliveryCount 10 or more, requiresSession false: ${show}`,
    );
  }
}
