import { manifestOfChunk } from '../../../schema/feed/segment-path.ts';
import type { Queryable } from '../../../schema/index/database.ts';
import { endOfSkip } from '../../../schema/index/feed-skips.ts';
import type { Finding, Skipped } from './finding.ts';

/** What was found, as a recorded skip knows it: all of it was left out. Undefined where it is news. */
export async function knownSkip(on: Queryable, accountId: number, found: Finding): Promise<Skipped | undefined> {
  if (found.kind === 'broken') {
    const end = await endOfSkip(on, accountId, found.path, found.offset);
    return end === undefined || end < (found.until ?? 0) ? undefined : { ...found, kind: 'skipped' };
  }
  if (found.kind !== 'unreached') return undefined;
  // With a manifest that cannot be read its whole segment is left out.
  const manifest = manifestOfChunk(found.path);
  if (manifest === undefined || (await endOfSkip(on, accountId, manifest, 0)) === undefined) return undefined;
  return { kind: 'skipped', path: found.path, offset: 0, why: 'its manifest is left out, which alone names it' };
}
