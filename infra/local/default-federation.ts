import { readFile, writeFile } from 'node:fs/promises';
import { TRANSPORTS, type Transport } from './services-options.ts';
import { DEAD_LETTER_CONTAINER } from './storage/events/dead-letter-writer.ts';

export const EVENTS_QUEUE = 'isthmus-events';
export const EVENTS_HUB = 'isthmus-events';
export const INVENTORY_CONTAINER = 'inventory';

/**
 * The federation of a stack that was given none: everything in the account, Blob-authoritative, into one folder.
 * Addresses and paths come from the environment, so that the file holds wherever the stack listens.
 */
const yaml = (
  hierarchical: boolean,
  triggers: Transport,
) => `# Written by \`isthmus dev\`, which was given no other. It is read when a worker starts; edit it as you like.
name: local
account:
  name: \${AZURE_STORAGE_ACCOUNT}
  connectionString: \${AZURE_STORAGE_CONNECTION_STRING}
  marginSeconds: 3 # one machine has one clock; Azure's have many, so leave it out there${hierarchical ? '\n  hierarchical: true # directories, and no Change Feed' : ''}
sources:
${triggers === 'event-hubs' ? '' : SERVICE_BUS}${triggers === 'service-bus' ? '' : EVENT_HUBS}${hierarchical ? '' : FEED}  inventory:
    container: ${INVENTORY_CONTAINER}
  deadLetters:
    container: ${DEAD_LETTER_CONTAINER}
    pollSeconds: 5
${hierarchical ? CANARY : ''}sinks:
  vast:
    kind: fileView
    root: \${ISTHMUS_VAST_ROOT}
rules:
  - prefix: ''
    authority: blob
    sink: vast
`;

const SERVICE_BUS = `  serviceBus:
    connectionString: \${AZURE_SERVICEBUS_CONNECTION_STRING}
    queue: ${EVENTS_QUEUE}
`;

const EVENT_HUBS = `  eventHubs:
    connectionString: \${AZURE_EVENTHUBS_CONNECTION_STRING}
    eventHub: ${EVENTS_HUB}
`;

const FEED = `  changeFeed:
    pollSeconds: 1
    settleSeconds: 3
`;

const CANARY = `  canary: # tells that triggers have stopped, as there is no feed to hold them against
    container: ${INVENTORY_CONTAINER}
`;

/** What the account is to be, and whether the stack starts empty. */
interface Wanted {
  readonly hierarchical: boolean;
  readonly triggers: Transport;
  readonly fresh?: boolean | undefined;
}

/**
 * Writes the default federation where there is no such file: of an account with a hierarchical namespace, or of a flat
 * one. One that is as it was written, for other triggers, is written anew, and where all is to be empty for another
 * kind of account as well; one that was edited stays.
 */
export async function ensureFederation(
  file: string,
  { hierarchical, triggers, fresh = false }: Wanted,
): Promise<'as-written' | 'edited'> {
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  const kind = [true, false].find((each) => TRANSPORTS.some((transport) => yaml(each, transport) === kept));
  if (kept !== undefined && kind === undefined) return 'edited';
  await writeFile(file, yaml(fresh ? hierarchical : (kind ?? hierarchical), triggers));
  return 'as-written';
}
