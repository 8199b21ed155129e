import { manifestOfChunk } from '../../../schema/feed/segment-path.ts';
import type { Queryable } from '../../../schema/index/database.ts';
import { endOfSkip } from '../../../schema/index/feed-skips.ts';
import type { Finding, Skipped } from './finding.ts';

/** What was found, as recorded skips know it: all of it was left out. Undefined where any of it is news. */
export async function knownSkip(on: Queryable, accountId: number, found: Finding): Promise<Skipped | undefined> {
  if (found.kind === 'broken') {
    const { path, offset, reach } = found;
    // What is no stretch of bytes cannot have been left out.
    if (reach === undefined) return undefined;
    let at: number | undefined = offset;
    do {
      at = await endOfSkip(on, accountId, path, at);
      if (at === undefined) return undefined;
    } while (at < reach);
    return { ...found, kind: 'skipped' };
  }
  if (found.kind !== 'unreached') return undefined;
  // With a manifest that cannot be read its whole segment is left out.
  const manifest = manifestOfChunk(found.path);
  if (manifest === undefined || (await endOfSkip(on, accountId, manifest, 0)) === undefined) return undefined;
  return { kind: 'skipped', path: found.path, offset: 0, why: 'its manifest is left out, which alone names it' };
}
