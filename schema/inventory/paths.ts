import type { Timestamp } from '../../namespace/entry.ts';

const MANIFEST = '-manifest.json';
const REPORT = /^(\d{4})\/(\d{2})\/(\d{2})\/(\d{2})-(\d{2})-(\d{2})\/([^/]+)\/[^/]+-manifest\.json$/;

/** What the path of a manifest says, before it is read: `YYYY/MM/DD/HH-MM-SS/RULE/RULE-manifest.json`. */
export interface ManifestPath {
  readonly path: string;
  readonly rule: string;
  /** When the run began, by its folder. */
  readonly time: Timestamp;
}

/** @returns undefined where the path is not that of a manifest (a data file, a checksum, something else in the container). */
export function parseManifestPath(path: string): ManifestPath | undefined {
  const match = REPORT.exec(path);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, rule] = match;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return rule === undefined || Number.isNaN(time) ? undefined : { path, rule, time };
}

/** Where the checksum of a manifest is; it is written last and marks completion. */
export function checksumPath(manifest: string): string {
  return `${manifest.slice(0, -MANIFEST.length)}-manifest.checksum`;
}

/** The folder of all reports begun in the month of this time, shifted by whole months. */
export function monthFolder(time: Timestamp, shift: number): string {
  const date = new Date(time);
  const month = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + shift, 1));
  return `${month.toISOString().slice(0, 7).replace('-', '/')}/`;
}
