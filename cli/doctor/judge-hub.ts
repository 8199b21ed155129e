import type { HubAnswer } from '../../activities/azure/hub-questions.ts';
import { counted } from '../../schema/counted.ts';
import { messageOf } from '../../schema/errors.ts';
import { codeOf } from '../failure.ts';
import { isCredentialFailure } from './azure-failure.ts';
import { keyMend } from './bus-namespace.ts';
import { type Finding, good, warning, wrong } from './finding.ts';

/** Which event hub, as the federation file names it. */
export interface NamedHub {
  readonly eventHub: string;
  readonly consumerGroup: string;
  /** The first word of the namespace's host. */
  readonly namespace: string;
  readonly readers: number;
}

export function judgeHub(
  { partitions }: HubAnswer,
  { eventHub, consumerGroup, readers }: NamedHub,
): readonly Finding[] {
  const found = `event hub ${eventHub} has ${counted(partitions, 'partition')}, which consumer group ${consumerGroup} may read`;
  if (readers > partitions) {
    return [
      good('hub.receive', found),
      warning(
        'hub.partitions',
        `sources.eventHubs.readers is ${readers}, and of ${counted(partitions, 'partition')} no more than ${partitions} can be read at once`,
        `Set sources.eventHubs.readers to ${partitions}.`,
      ),
    ];
  }
  return [good('hub.receive', found)];
}

/** Why the hub cannot be read, and what to do. */
export function judgeHubFailure(error: unknown, named: NamedHub): Finding {
  const { eventHub, consumerGroup } = named;
  const code = codeOf(error);
  const message = messageOf(error).split('\n')[0] ?? '';
  const says = code === undefined || message.includes(code) ? message : `${message} (${code})`;
  return wrong(
    'hub.receive',
    `event hub ${eventHub} cannot be read by consumer group ${consumerGroup}: ${says}`,
    keyMend('eventhubs', error, named.namespace) ?? mendOf(code, error, named),
  );
}

function mendOf(code: string | undefined, error: unknown, { eventHub, consumerGroup, namespace }: NamedHub): string {
  const where = `-g GROUP --namespace-name ${namespace}`;
  if (code === 'MessagingEntityNotFoundError') {
    return (
      `Correct sources.eventHubs, or: az eventhubs eventhub create ${where} -n ${eventHub} --partition-count 4; ` +
      `az eventhubs eventhub consumer-group create ${where} --eventhub-name ${eventHub} -n '${consumerGroup}'`
    );
  }
  if (code === 'UnauthorizedError' || isCredentialFailure(error)) {
    return (
      'az role assignment create --role "Azure Event Hubs Data Receiver" --assignee IDENTITY ' +
      `--scope "$(az eventhubs namespace show -g GROUP -n ${namespace} --query id -o tsv)"; with a connection string: one with Listen.`
    );
  }
  if (code === 'QuotaExceededError') {
    return `Five others read it by this consumer group: az eventhubs eventhub consumer-group create ${where} --eventhub-name ${eventHub} -n isthmus, and name it as sources.eventHubs.consumerGroup.`;
  }
  return `Correct sources.eventHubs, or let AMQP through (port 5671): az eventhubs namespace show -g GROUP -n ${namespace} --query "[status, publicNetworkAccess]"`;
}
