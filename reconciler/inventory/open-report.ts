import type { Timestamp } from '../../namespace/entry.ts';
import { formatKey, type Key } from '../../namespace/key.ts';
import { messageOf } from '../../schema/errors.ts';
import { checksumMatches } from '../../schema/inventory/checksum.ts';
import { type InventoryManifest, parseManifest } from '../../schema/inventory/manifest.ts';
import { checksumPath } from '../../schema/inventory/paths.ts';
import type { BlobSource } from '../../schema/ports/blob-source.ts';
import { readWhole } from './read-ranges.ts';

/** A report that may be judged by: complete, of blobs, and with the count that it must hold. */
export interface TrustedReport extends InventoryManifest {
  readonly objectCount: number;
}

/** `not-yet`: the run that writes it is under way. `rejected`: nothing may be concluded from it, ever. */
export type OpenedReport =
  | { readonly kind: 'ready'; readonly report: TrustedReport }
  /** It is trusted, and lists containers. */
  | { readonly kind: 'containers'; readonly report: TrustedReport }
  | { readonly kind: 'not-yet'; readonly reason: string }
  | { readonly kind: 'rejected'; readonly reason: string };

/** A manifest lists files, not blobs; one of 17.9 million blobs names four. */
const MOST_BYTES = 16 * 1024 * 1024;

const DAY = 86_400_000;
/** Azure gives a run up after six days, and a weekly rule begins its next within seven. */
const OLDEST_MS = 13 * DAY;

/** The account whose reports are opened, and when. */
export interface OfAccount {
  readonly account: string;
  readonly now: Timestamp;
  /** What clocks may err by, in milliseconds. */
  readonly margin: number;
}

/**
 * Reads a manifest and says whether its report can be believed (invariant 7): it must be that of a run that
 * `Succeeded`, of this account and of these weeks, and its checksum, which is written last, must be there and match.
 */
export async function openReport(
  blobs: BlobSource,
  manifest: Key,
  of: OfAccount,
  signal: AbortSignal,
): Promise<OpenedReport> {
  const found = await blobs.look(manifest, signal);
  if (found.kind !== 'found') return { kind: 'not-yet', reason: `there is no manifest ${formatKey(manifest)}` };
  const { etag, length } = found.attributes;
  if (length > MOST_BYTES) return { kind: 'rejected', reason: `its manifest has ${length} bytes` };
  const bytes = await readWhole(blobs, manifest, { etag, offset: 0, length }, signal);

  let report: InventoryManifest;
  try {
    report = parseManifest(bytes.toString('utf8'));
  } catch (error) {
    return { kind: 'rejected', reason: messageOf(error) };
  }
  if (report.status === 'Pending') return { kind: 'not-yet', reason: `${formatKey(manifest)} is Pending` };
  if (report.status !== 'Succeeded') return { kind: 'rejected', reason: `its run ended as ${report.status}` };
  if (report.account !== undefined && report.account !== of.account) {
    return { kind: 'rejected', reason: `it is of the account ${report.account}, not of ${of.account}` };
  }
  // By the storage's own clock: names that are made from now on would be older than the report, and missing in it.
  if (report.start > found.time + of.margin) {
    return { kind: 'rejected', reason: `it begins in the future, at ${new Date(report.start).toISOString()}` };
  }
  const days = Math.floor((of.now - report.start) / DAY);
  if (of.now - report.start > OLDEST_MS) return { kind: 'rejected', reason: `it was begun ${days} days ago` };

  const checksum = await blobs.readText({ ...manifest, name: checksumPath(manifest.name) }, signal);
  if (checksum === undefined) return { kind: 'not-yet', reason: `${formatKey(manifest)} has no checksum yet` };
  if (!checksumMatches(bytes, checksum)) return { kind: 'rejected', reason: 'its checksum is of another manifest' };

  const { objectCount } = report;
  if (objectCount === undefined)
    return { kind: 'rejected', reason: 'its manifest does not say how many objects it lists' };
  return { kind: report.objectType === 'blob' ? 'ready' : 'containers', report: { ...report, objectCount } };
}
