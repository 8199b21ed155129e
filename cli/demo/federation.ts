import { readFile, writeFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import { ensureFederation, INVENTORY_CONTAINER } from '../../infra/local/default-federation.ts';
import type { Transport } from '../../infra/local/services-options.ts';

/** As often as may be, and an alarm soon after: a story cannot wait for a quarter of an hour. */
const CANARY = { container: INVENTORY_CONTAINER, everySeconds: 30 };
const LATE_LIMIT_SECONDS = 5;

/** Writes the federation of an account with a hierarchical namespace: the embedded stack's own, with a quicker canary. */
export async function writeWithCanary(file: string, triggers: Transport): Promise<void> {
  await ensureFederation(file, { hierarchical: true, triggers });
  const federation = parseDocument(await readFile(file, 'utf8'));
  federation.setIn(['sources', 'canary'], CANARY);
  federation.setIn(['sources', 'triggers'], { lateLimitSeconds: LATE_LIMIT_SECONDS });
  await writeFile(file, federation.toString());
}
