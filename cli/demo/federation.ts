import { readFile, writeFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import { ensureFederation, INVENTORY_CONTAINER } from '../../infra/local/default-federation.ts';
import type { Transport } from '../../infra/local/services-options.ts';
import { ARCHIVE } from './steps/upload.ts';

/** As often as may be, and an alarm soon after: a story cannot wait for a quarter of an hour. */
const CANARY = { container: INVENTORY_CONTAINER, everySeconds: 30 };
const LATE_LIMIT_SECONDS = 5;
/** So few that a story can afford to lose them. */
const CAREFUL = { prefix: `${ARCHIVE}/`, authority: 'blob', sink: 'vast', stop: { percent: 1, names: 20 } };

/**
 * Writes the embedded stack's own federation, with a rule whose deletes have to be approved soon and, for an account
 * with a hierarchical namespace, a quicker canary.
 */
export async function writeDemoFederation(
  file: string,
  { hierarchical, triggers }: { readonly hierarchical: boolean; readonly triggers: Transport },
): Promise<void> {
  await ensureFederation(file, { hierarchical, triggers });
  const federation = parseDocument(await readFile(file, 'utf8'));
  federation.addIn(['rules'], CAREFUL);
  if (hierarchical) {
    federation.setIn(['sources', 'canary'], CANARY);
    federation.setIn(['sources', 'triggers'], { lateLimitSeconds: LATE_LIMIT_SECONDS });
  }
  await writeFile(file, federation.toString());
}
