import type { Timestamp } from '../../namespace/entry.ts';

/** Where the manifests are listed. */
export const SEGMENTS = 'idx/segments/';
/** Named when the feed is switched on; it holds nothing. */
const INITIALISATION = '1601/01/01/0000';

const PATTERN = /^idx\/segments\/((\d{4})\/(\d{2})\/(\d{2})\/(\d{2})(\d{2})(\d{2})?)\/meta\.json$/;

/**
 * When the segment of this manifest begins, by its path `idx/segments/YYYY/MM/DD/HHmm/meta.json`. Segments are not
 * always hourly, so the minutes count (and seconds, where a stand-in writes shorter ones). Path order is time order.
 *
 * @returns undefined for anything that is no segment, the initialisation record of 1601 among it.
 */
export function segmentTime(path: string): Timestamp | undefined {
  const match = PATTERN.exec(path);
  if (match === null || match[1] === INITIALISATION) return undefined;
  const [, , year, month, day, hour, minute, second] = match;
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second ?? 0));
}

/** The year of a manifest's path, for listing no more than is needed. */
export function segmentYear(path: string): number {
  return Number(path.slice(SEGMENTS.length, SEGMENTS.length + 4));
}

/**
 * The manifest of the segment that a chunk `log/NN/YYYY/MM/DD/HHmm/NNNNN.avro` is of, by the name of its folder: for
 * chunks that no manifest names. What a manifest names is its own, whatever its name.
 */
export function manifestOfChunk(chunk: string): string | undefined {
  const stamp = /^log\/[^/]+\/(.+\/)[^/]+$/.exec(chunk)?.[1];
  return stamp === undefined ? undefined : `${SEGMENTS}${stamp}meta.json`;
}
