import { randomUUID } from 'node:crypto';
import { FEED_CONTAINER } from '../account.ts';
import { FEED_SCHEMA_VERSION } from './schema-v4.ts';
import { shardName } from './shard.ts';

/** Milliseconds since 1970 at which a segment begins. */
export type SegmentBegin = number;

/** A segment is final once the next one is open. */
export type SegmentStatus = 'Publishing' | 'Finalized';

/** The segment that the service writes when a feed begins; readers ignore it. */
export const INIT_SEGMENT: SegmentBegin = Date.UTC(1601, 0, 1);

export const SEGMENTS_JSON = 'meta/segments.json';

export function segmentOf(time: number, segmentMs: number): SegmentBegin {
  return Math.floor(time / segmentMs) * segmentMs;
}

/** `2020/06/11/0000`: years to minutes of a segment's begin. */
function stampOf(begin: SegmentBegin): string {
  const iso = new Date(begin).toISOString();
  return `${iso.slice(0, 10).replaceAll('-', '/')}/${iso.slice(11, 13)}${iso.slice(14, 16)}`;
}

export function manifestPath(begin: SegmentBegin): string {
  return `idx/segments/${stampOf(begin)}/meta.json`;
}

export function chunkPath(begin: SegmentBegin, chunk: number, shard: number): string {
  return `${shardFolder(begin, shard)}${String(chunk).padStart(5, '0')}.avro`;
}

function shardFolder(begin: SegmentBegin, shard: number): string {
  return `log/${shardName(shard)}/${stampOf(begin)}/`;
}

/** The manifest's text, key for key as the service writes it. */
export function manifestText(
  begin: SegmentBegin,
  status: SegmentStatus,
  segmentMs: number,
  now: number,
  shards = 1,
): string {
  const initial = begin === INIT_SEGMENT;
  return JSON.stringify({
    version: 0,
    begin: new Date(begin).toISOString(),
    intervalSecs: segmentMs / 1000,
    status,
    config: {
      version: initial ? 0 : 1,
      configVersionEtag: '0x8d80d9bd1abc522',
      numShards: shards,
      recordsFormat: 'avro',
      formatSchemaVersion: FEED_SCHEMA_VERSION,
      shardDistFnVersion: 1,
      ...(initial ? {} : { streamAppendType: 1 }),
    },
    chunkFilePaths: Array.from({ length: shards }, (_, shard) => `${FEED_CONTAINER}/${shardFolder(begin, shard)}`),
    storageDiagnostics: diagnostics(now, {}),
  });
}

/** The text of `meta/segments.json`: `lastConsumable` is the newest segment that is open, `lfz` the newest that is final. */
export function segmentsText(open: SegmentBegin, final: SegmentBegin, now: number): string {
  return JSON.stringify({
    version: 0,
    lastConsumable: new Date(open).toISOString(),
    storageDiagnostics: diagnostics(now, { lfz: new Date(final).toISOString() }),
  });
}

function diagnostics(now: number, more: Readonly<Record<string, string>>) {
  return { version: 0, lastModifiedTime: new Date(now).toISOString(), data: { aid: randomUUID(), ...more } };
}
