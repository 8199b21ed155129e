import type { QueueSettings } from '../../activities/azure/queue-questions.ts';
import { messageOf } from '../../schema/errors.ts';
import { codeOf } from '../failure.ts';
import { formatSeconds } from '../format.ts';
import { isCredentialFailure } from './azure-failure.ts';
import { keyMend } from './bus-namespace.ts';
import { type Finding, good, warning, wrong } from './finding.ts';
import { durationMs } from './iso-duration.ts';

/** Which queue, as the federation file names it. */
export interface NamedQueue {
  readonly queue: string;
  /** The first word of the namespace's host. */
  readonly namespace: string;
}

const SHORTEST_LOCK_MS = 10_000;
const SHORT_LOCK_MS = 30_000;
const FEWEST_DELIVERIES = 3;
const FEW_DELIVERIES = 10;
const DAY_MS = 24 * 3_600_000;

/** Why the queue cannot be listened to, and what to do. */
export function judgeQueueFailure(error: unknown, named: NamedQueue): Finding {
  const code = codeOf(error);
  const message = messageOf(error).split('\n')[0] ?? '';
  const says = code === undefined || message.includes(code) ? message : `${message} (${code})`;
  return wrong(
    'queue.receive',
    `queue ${named.queue} cannot be listened to: ${says}`,
    keyMend('servicebus', error, named.namespace) ?? mendOf(code, error, named),
  );
}

function mendOf(code: string | undefined, error: unknown, { queue, namespace }: NamedQueue): string {
  if (code === 'MessagingEntityNotFound') {
    return (
      `Correct sources.serviceBus.queue, or: az servicebus queue create -g GROUP --namespace-name ${namespace} -n ${queue} ` +
      '--duplicate-detection true --lock-duration PT1M --max-delivery-count 100, and let the event subscription deliver there.'
    );
  }
  if (code === 'UnauthorizedAccess' || code === 'UnauthorizedError' || isCredentialFailure(error)) {
    return (
      'az role assignment create --role "Azure Service Bus Data Receiver" --assignee IDENTITY ' +
      `--scope "$(az servicebus namespace show -g GROUP -n ${namespace} --query id -o tsv)"; with a connection string: one with Listen.`
    );
  }
  if (code === 'MessagingEntityDisabled') return update(queue, namespace, '--status Active');
  return `Correct sources.serviceBus, or let AMQP through (port 5671): az servicebus namespace show -g GROUP -n ${namespace} --query "[status, publicNetworkAccess]"`;
}

function update(queue: string, namespace: string, what: string): string {
  return `az servicebus queue update -g GROUP --namespace-name ${namespace} -n ${queue} ${what}`;
}

/** What the queue's own settings mean for an intake. */
export function judgeQueue(settings: QueueSettings, { queue, namespace }: NamedQueue): readonly Finding[] {
  const mend = (what: string) => update(queue, namespace, what);
  return [
    judgeState(settings, queue, mend),
    judgeLock(settings, queue, mend),
    judgeDeliveries(settings, queue, mend),
    judgeDuplicates(settings, queue, namespace),
    judgeExpiry(settings, queue, mend),
  ];
}

type Mend = (what: string) => string;

function judgeState({ status, requiresSession, forwardTo }: QueueSettings, queue: string, mend: Mend): Finding {
  const check = 'queue.state';
  if (status !== 'Active' && status !== 'SendDisabled') {
    return wrong(check, `queue ${queue} is ${status}: nothing can be received from it`, mend('--status Active'));
  }
  if (status === 'SendDisabled') {
    return wrong(check, `queue ${queue} is SendDisabled: Event Grid can put nothing into it`, mend('--status Active'));
  }
  if (requiresSession) {
    return wrong(
      check,
      `queue ${queue} has sessions, which cannot be received without naming one`,
      'Make a queue without sessions: it cannot be changed afterwards.',
    );
  }
  if (forwardTo !== undefined && forwardTo !== '') {
    return wrong(check, `queue ${queue} forwards everything to ${forwardTo}`, mend('--forward-to ""'));
  }
  return good(check, `queue ${queue} is active`);
}

function judgeLock({ lockDuration }: QueueSettings, queue: string, mend: Mend): Finding {
  const check = 'queue.lock';
  const ms = durationMs(lockDuration) ?? 0;
  const found = `a lock of queue ${queue} lasts ${formatSeconds(ms / 1000)}`;
  const why = 'a stall of network or Postgres that is longer delivers the message again, and is counted as a delivery';
  if (ms < SHORTEST_LOCK_MS) return wrong(check, `${found}: ${why}`, mend('--lock-duration PT1M'));
  if (ms < SHORT_LOCK_MS) return warning(check, `${found}: ${why}`, mend('--lock-duration PT1M'));
  return good(check, found);
}

function judgeDeliveries({ maxDeliveryCount }: QueueSettings, queue: string, mend: Mend): Finding {
  const check = 'queue.deliveries';
  const found = `queue ${queue} dead-letters after ${maxDeliveryCount} deliveries`;
  const why = 'each kill of a worker counts as one of every message that it held';
  if (maxDeliveryCount < FEWEST_DELIVERIES) return wrong(check, `${found}: ${why}`, mend('--max-delivery-count 100'));
  if (maxDeliveryCount < FEW_DELIVERIES) return warning(check, `${found}: ${why}`, mend('--max-delivery-count 100'));
  return good(check, found);
}

function judgeDuplicates({ requiresDuplicateDetection }: QueueSettings, queue: string, namespace: string): Finding {
  const check = 'queue.duplicates';
  if (requiresDuplicateDetection) return good(check, `queue ${queue} detects duplicates`);
  return warning(
    check,
    `queue ${queue} does not detect duplicates: what Event Grid delivers again is harmless, and read again`,
    'It can only be had when a queue is made: az servicebus queue create -g GROUP ' +
      `--namespace-name ${namespace} -n NEW --duplicate-detection true`,
  );
}

function judgeExpiry(settings: QueueSettings, queue: string, mend: Mend): Finding {
  const check = 'queue.expiry';
  const idle = durationMs(settings.autoDeleteOnIdle) ?? Number.POSITIVE_INFINITY;
  if (Number.isFinite(idle)) {
    return warning(
      check,
      `queue ${queue} is deleted after ${formatSeconds(idle / 1000)} in which nobody uses it`,
      mend('--auto-delete-on-idle P10675199DT2H48M5.4775807S'),
    );
  }
  const live = durationMs(settings.defaultMessageTimeToLive) ?? Number.POSITIVE_INFINITY;
  if (!Number.isFinite(live)) return good(check, `messages of queue ${queue} do not expire`);
  const found = `messages of queue ${queue} expire after ${formatSeconds(live / 1000)}`;
  if (!settings.deadLetteringOnMessageExpiration) {
    return warning(
      check,
      `${found} and are then gone without a trace`,
      mend('--enable-dead-lettering-on-message-expiration true'),
    );
  }
  if (live < DAY_MS)
    return warning(
      check,
      `${found}: an outage of that length delays what they say until the feed or an inventory tells it`,
      mend('--default-message-time-to-live P14D'),
    );
  return good(check, `${found}, into the dead letters`);
}
