import { applyLooks } from '../../../schema/index/apply-answers.ts';
import { explainEntry } from '../../../schema/index/queries.ts';
import { applyUnderRules } from '../../apply-under-rules.ts';
import type { Services } from '../../services.ts';
import type { Wanted } from './hydrate-file.ts';

/**
 * A look, asked for by whoever found the blob to be another version than the entry says (rule 4 of the clock):
 * the entry is read before the blob is asked, and the answer counts only where the entry has not moved since.
 *
 * @returns the entry as it is then; undefined where it is not live.
 */
export async function refreshEntry(
  services: Services,
  wanted: Wanted,
  requestId: string,
  signal: AbortSignal,
): Promise<Wanted | undefined> {
  const { index, account, blobs } = services;
  const before = await explainEntry(index.db, account.id, wanted.key);
  // A source was faster: the entry is another version already, or has gone.
  if (before === undefined || !before.isLive || before.attributes?.etag !== wanted.attributes.etag) {
    return wantedOf(before);
  }
  const seen = await blobs.look(wanted.key, signal);
  if (seen.kind === 'container-gone') return undefined;
  const found = seen.kind === 'found' ? seen.attributes : undefined;
  const answer = { kind: 'look', ...wanted.key, found, time: seen.time, entryRevision: before.revision } as const;
  await applyUnderRules(services, (tx, scope) =>
    applyLooks(tx, { ...scope, answers: [{ ...answer, eventId: `hydrate/${requestId}` }] }),
  );
  return wantedOf(await explainEntry(index.db, account.id, wanted.key));
}

function wantedOf(row: Awaited<ReturnType<typeof explainEntry>>): Wanted | undefined {
  if (row === undefined || !row.isLive || row.attributes === undefined) return undefined;
  return { key: { container: row.container, name: row.name }, attributes: row.attributes, revision: row.revision };
}
