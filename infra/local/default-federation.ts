import { access, writeFile } from 'node:fs/promises';
import { DEAD_LETTER_CONTAINER } from './storage/events/dead-letter-writer.ts';

export const EVENTS_QUEUE = 'isthmus-events';
export const INVENTORY_CONTAINER = 'inventory';

/**
 * The federation of a stack that was given none: everything in the account, Blob-authoritative, into one folder.
 * Addresses and paths come from the environment, so that the file holds wherever the stack listens.
 */
const yaml = (
  hierarchical: boolean,
) => `# Written by \`isthmus dev\`, which was given no other. It is read when a worker starts; edit it as you like.
name: local
account:
  name: \${AZURE_STORAGE_ACCOUNT}
  connectionString: \${AZURE_STORAGE_CONNECTION_STRING}
  marginSeconds: 3 # one machine has one clock; Azure's have many, so leave it out there${hierarchical ? '\n  hierarchical: true # directories, and no Change Feed' : ''}
sources:
  serviceBus:
    connectionString: \${AZURE_SERVICEBUS_CONNECTION_STRING}
    queue: ${EVENTS_QUEUE}
${hierarchical ? '' : FEED}  inventory:
    container: ${INVENTORY_CONTAINER}
  deadLetters:
    container: ${DEAD_LETTER_CONTAINER}
    pollSeconds: 5
sinks:
  vast:
    kind: fileView
    root: \${ISTHMUS_VAST_ROOT}
rules:
  - prefix: ''
    authority: blob
    sink: vast
`;

const FEED = `  changeFeed:
    pollSeconds: 1
    settleSeconds: 3
`;

/** Writes the default federation where there is no such file: of an account with a hierarchical namespace, or of a flat one. */
export async function ensureFederation(file: string, hierarchical: boolean): Promise<void> {
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (!exists) await writeFile(file, yaml(hierarchical));
}
