import type { Timestamp } from '../../namespace/entry.ts';
import { formatKey, type Key } from '../../namespace/key.ts';
import { type ManifestPath, monthFolder, parseManifestPath } from '../../schema/inventory/paths.ts';
import type { BlobSource } from '../../schema/ports/blob-source.ts';
import { type OfAccount, type OpenedReport, openReport, type TrustedReport } from './open-report.ts';

export type FoundReport =
  | { readonly kind: 'ready'; readonly manifest: Key; readonly report: TrustedReport }
  | { readonly kind: 'rejected'; readonly manifest: Key; readonly reason: string }
  /** No report of blobs is new; `reason` says what was found instead. `containers`: the newest report of containers. */
  | { readonly kind: 'none'; readonly reason: string; readonly containers?: TrustedReport | undefined };

/** What an earlier run made of a report. */
export type Judged = 'not' | 'used' | 'rejected';

/** Reports that are looked at, newest first; older ones say nothing that the newest does not. */
const MOST_REPORTS = 40;

/**
 * Finds the newest report that no run has used, by the manifests in the inventory container. Those of runs
 * under way are passed over, and say so if nothing else is there; so are reports older than one that was used.
 */
export async function findReport(
  blobs: BlobSource,
  inventory: { readonly container: string; readonly rule?: string | undefined },
  of: OfAccount,
  judged: (manifest: Key) => Promise<Judged>,
  signal: AbortSignal,
): Promise<FoundReport> {
  let reason = `there is no report in ${inventory.container}`;
  const settled = new Set<string>();
  let containers: TrustedReport | undefined;
  for (const { path, rule } of await newestManifests(blobs, inventory, of.now, signal)) {
    if (settled.has(rule)) continue;
    const manifest = { container: inventory.container, name: path };
    const before = await judged(manifest);
    if (before === 'used') {
      settled.add(rule);
      reason = `the newest report, ${formatKey(manifest)}, was judged by already`;
    }
    if (before !== 'not') continue;
    const opened = await openReport(blobs, manifest, of, signal);
    if (opened.kind === 'containers') {
      containers ??= opened.report;
      settled.add(rule);
      reason = `${formatKey(manifest)} lists containers, and none of them says that it is gone`;
    } else if (opened.kind !== 'not-yet') return withManifest(opened, manifest);
    else reason = opened.reason;
  }
  return { kind: 'none', reason, containers };
}

function withManifest(opened: Exclude<OpenedReport, { kind: 'not-yet' | 'containers' }>, manifest: Key): FoundReport {
  return opened.kind === 'ready'
    ? { kind: 'ready', manifest, report: opened.report }
    : { kind: 'rejected', manifest, reason: opened.reason };
}

/** Manifests of the newest reports, newest first. The last months' folders first: a container keeps the reports of years. */
export async function newestManifests(
  blobs: BlobSource,
  inventory: { readonly container: string; readonly rule?: string | undefined },
  now: Timestamp,
  signal: AbortSignal,
): Promise<readonly ManifestPath[]> {
  for (const folders of [[monthFolder(now, 0), monthFolder(now, 1), monthFolder(now, -1)], ['']]) {
    let newest: ManifestPath[] = [];
    for (const folder of folders) {
      for await (const page of blobs.listBlobs(inventory.container, folder, signal)) {
        for (const { name } of page.blobs) {
          const found = parseManifestPath(name);
          if (found === undefined || (inventory.rule !== undefined && found.rule !== inventory.rule)) continue;
          newest.push(found);
        }
        newest = newest.toSorted((a, b) => b.time - a.time).slice(0, MOST_REPORTS);
      }
    }
    if (newest.length > 0) return newest;
  }
  return [];
}
