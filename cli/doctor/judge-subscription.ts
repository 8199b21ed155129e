import type { Federation } from '../../schema/federation/federation.ts';
import { type Finding, unknown } from './finding.ts';

/** What a subscription must let through; a type that it leaves out is told by feed or inventory alone, later. */
const EVENT_TYPES = [
  'BlobCreated',
  'BlobDeleted',
  'BlobTierChanged',
  'BlobRenamed',
  'DirectoryCreated',
  'DirectoryRenamed',
  'DirectoryDeleted',
  'AsyncOperationInitiated',
  'BlobInventoryPolicyCompleted',
];

/**
 * Types and filters of the event subscription are Azure Resource Manager's, in which a worker has no rights: said is what to look
 * for, and with which command.
 */
export function judgeSubscription({ account }: Pick<Federation, 'account'>): Finding {
  return unknown(
    'triggers.subscription',
    `what the event subscription of ${account.name} lets through is told to no receiver`,
    `See that includedEventTypes has ${EVENT_TYPES.join(', ')} (each Microsoft.Storage.…), that no subject filter leaves out a rule's prefix, and that deadLetterDestination is set:\n` +
      'az eventgrid system-topic event-subscription list -g GROUP --system-topic-name TOPIC --query "[].[name, filter, deadLetterDestination]"',
  );
}
