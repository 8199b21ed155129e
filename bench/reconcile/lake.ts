import { hash } from 'node:crypto';
import type { Cause } from '../../schema/drift/cause.ts';

/**
 * The lake that is judged, as a function of a row's number: nothing of it is ever held in memory. Names lie in key order
 * within a directory of 4,096 shards, one directory a day in each of four containers.
 */
export interface Lake {
  readonly rows: number;
  /** One row in so many is planted drift; 0 for none. */
  readonly every: number;
  /** When the report began, in milliseconds since 1970. */
  readonly from: number;
}

export const CONTAINERS: readonly string[] = ['clean-data', 'part-data', 'raw-video', 'web-crawl'];
export const SHARDS = 4_096;
/** Where names begin, and when containers were made: before every change. */
export const FIRST_DAY = Date.UTC(2024, 0, 1);
/** Blobs were modified in the 300 days from here on. */
export const MODIFIED_FROM = Date.UTC(2025, 0, 1);
export const MODIFIED_SECONDS = 300 * 86_400;
/** An overwrite that nobody told came so much later; one after the report's start so much after that. */
export const LATER_MS = 86_400_000;
export const NEWER_MS = 600_000;
/** One blob in so many has metadata, and one in so many is cool. */
export const TAGGED = 50;
export const COOL = 16;
const DAY_MS = 86_400_000;

/**
 * How a row is made to differ. `gone`: in the index, not in the account. `new`: the other way round. `overwritten` and
 * `grown` (an append blob): the account has another version. `tier` and `metadata`: the same version, of which the index does not
 * know these. `newer`: written after the report's start, as the index knows: no drift.
 */
export const PLANTS = ['gone', 'new', 'overwritten', 'grown', 'tier', 'metadata', 'newer'] as const;
export type Plant = (typeof PLANTS)[number];

/** What is to be found. The feed is read beyond the report's end, so it missed what it did not tell. */
export const CAUSE_OF: Readonly<Record<Plant, Cause | undefined>> = {
  gone: 'missed-by-both',
  new: 'missed-by-both',
  overwritten: 'missed-by-both',
  grown: 'blob-grew',
  tier: 'tier-moved',
  metadata: 'metadata-unknown',
  newer: undefined,
};

/** @param drift the share of rows that are planted. */
export function lakeOf(rows: number, drift: number, from: number): Lake {
  return { rows, every: drift === 0 ? 0 : Math.max(2, Math.round(1 / drift)), from };
}

export function plantOf({ every }: Lake, row: number): Plant | undefined {
  if (every === 0 || row % every !== every >> 1) return undefined;
  return PLANTS[Math.floor(row / every) % PLANTS.length];
}

/** Findings by cause, as they were planted. */
export function planted(lake: Lake): Readonly<Partial<Record<Cause, number>>> {
  const counts: Partial<Record<Cause, number>> = {};
  for (let row = lake.every >> 1; lake.every > 0 && row < lake.rows; row += lake.every) {
    const cause = CAUSE_OF[plantOf(lake, row) ?? 'newer'];
    if (cause !== undefined) counts[cause] = (counts[cause] ?? 0) + 1;
  }
  return counts;
}

const days: string[] = [];

export function containerOf(row: number): string {
  return CONTAINERS[Math.floor(row / SHARDS) % CONTAINERS.length] ?? '';
}

export function nameOf(row: number): string {
  const day = Math.floor(row / SHARDS / CONTAINERS.length);
  days[day] ??= new Date(FIRST_DAY + day * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '/');
  return `${days[day]}/shard-${String(row % SHARDS).padStart(6, '0')}-of-004096.tar`;
}

const NAME = /^(\d{4})\/(\d\d)\/(\d\d)\/shard-(\d{6})-of-004096\.tar$/;

/** @returns undefined where no row has this name. */
export function rowOf(lake: Lake, container: string, name: string): number | undefined {
  const place = CONTAINERS.indexOf(container);
  const [match, year, month, date, shard] = NAME.exec(name) ?? [];
  if (place < 0 || match === undefined) return undefined;
  const day = (Date.UTC(Number(year), Number(month) - 1, Number(date)) - FIRST_DAY) / DAY_MS;
  const row = (day * CONTAINERS.length + place) * SHARDS + Number(shard);
  return day >= 0 && row < lake.rows && Number(shard) < SHARDS ? row : undefined;
}

export interface Version {
  readonly etag: string;
  readonly length: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** Base64. */
  readonly md5: string;
  readonly blobType: 'BlockBlob' | 'AppendBlob';
  readonly tier: 'Hot' | 'Cool';
  /** JSON of its metadata; undefined where it has none. */
  readonly metadata: string | undefined;
}

export const CONTENT_TYPE = 'application/x-tar';

/** What the account had of this row when the report was made, and what it has `now`; undefined where it had none. */
export function versionOf(lake: Lake, row: number, now: boolean): Version | undefined {
  const plant = plantOf(lake, row);
  if (plant === 'gone') return undefined;
  const second = plant === 'overwritten' || plant === 'grown' || (now && plant === 'newer');
  const mixed = Math.imul(row, 0x9e3779b1) >>> 0;
  const first = MODIFIED_FROM + (mixed % MODIFIED_SECONDS) * 1_000;
  return {
    etag: `0x8D${second ? 'E' : 'D'}${hex(mixed, 8)}${hex(Math.imul(row, 40_503) & 0xffff, 4)}`,
    length: 1_000_000 + (mixed % 100_000_000) + (second ? 1 : 0),
    modified: second ? (plant === 'newer' ? lake.from + NEWER_MS : first + LATER_MS) : first,
    md5: hash('md5', second ? `${row}-2` : `${row}`, 'base64'),
    blobType: plant === 'grown' ? 'AppendBlob' : 'BlockBlob',
    tier: plant === 'tier' || row % COOL === 0 ? 'Cool' : 'Hot',
    metadata: plant === 'metadata' || row % TAGGED === 0 ? `{"owner":"team-${row % 40}"}` : undefined,
  };
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}
