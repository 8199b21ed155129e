import { createHash } from 'node:crypto';
import avro from 'avsc';
import { FeedUnavailableError } from '../../../schema/feed/feed-error.ts';
import type { FeedCondition, FeedStore } from '../../../schema/ports/feed-store.ts';

const string = 'string';
const RECORD = avro.Type.forSchema({
  type: 'record',
  name: 'BlobChangeEvent',
  fields: [
    ...['subject', 'eventType', 'eventTime', 'id'].map((name) => ({ name, type: string })),
    {
      name: 'data',
      type: {
        type: 'record',
        name: 'BlobChangeEventData',
        fields: [
          { name: 'api', type: string },
          { name: 'etag', type: string },
          { name: 'contentLength', type: 'long' },
          { name: 'blobType', type: { type: 'enum', name: 'BlobType', symbols: ['BlockBlob', 'SomethingNew'] } },
          { name: 'containerVersion', type: ['null', 'string'], default: null },
          { name: 'sequencer', type: string },
          { name: 'addedLater', type: { type: 'map', values: string } },
        ],
      },
    },
  ],
} as avro.Schema);

/** The marker of every chunk written here. */
const SYNC = createHash('md5').update('isthmus').digest();

/** A record with a name that tells its number. */
export function feedRecord(number: number, name = `blob-${number}`) {
  return {
    subject: `/blobServices/default/containers/c/blobs/${name}`,
    eventType: 'BlobCreated',
    eventTime: new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString(),
    id: `id-${number}`,
    data: {
      api: 'PutBlob',
      etag: `0x${number.toString(16)}`,
      contentLength: number,
      blobType: 'BlockBlob',
      containerVersion: '01D628ACFCF04929',
      sequencer: number.toString(16).padStart(48, '0'),
      addedLater: { key: 'value' },
    },
  };
}

/** The header of an Avro container file, its map's numbers padded or not. */
export function avroHeader(codec = 'null'): Buffer {
  const entry = (key: string, value: string) =>
    Buffer.concat([varint(key.length), Buffer.from(key), varint(Buffer.byteLength(value)), Buffer.from(value)]);
  const map = [entry('avro.codec', codec), entry('avro.schema', JSON.stringify(RECORD))];
  return Buffer.concat([Buffer.from('Obj\u0001'), varint(2), ...map, varint(0), SYNC]);
}

/** One block, its count and size padded to ten bytes as Azure writes them. */
export function avroBlock(records: readonly unknown[]): Buffer {
  const data = Buffer.concat(records.map((record) => RECORD.toBuffer(record)));
  return Buffer.concat([padded(records.length), padded(data.length), data, SYNC]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value * 2;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function padded(value: number): Buffer {
  const bytes = [...varint(value)];
  while (bytes.length < 10) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80;
    bytes.push(0);
  }
  return Buffer.from(bytes);
}

/** A feed in memory that a test writes, and that counts what is asked of it. */
export class MemoryFeed implements FeedStore {
  readonly files = new Map<string, Buffer>();
  readonly asked: string[] = [];
  /** Called before each answer, to change the feed or to fail. */
  onAsk: ((asked: string, asks: number) => void | Promise<void>) | undefined;
  /** Bytes asked for by ranges that have not been answered yet. */
  underWay = 0;
  mostUnderWay = 0;
  /** When every file was written last, as listings say. */
  now = 0;
  readonly ranges: { path: string; offset: number; bytes: number }[] = [];

  /** `minute` names the segment; the newest written one becomes `lastConsumable`. */
  segment(minute: number, status: string, shards = ['00'], lastConsumable = minute): void {
    const chunkFilePaths = shards.map((shard) => `$blobchangefeed/${this.shard(minute, shard)}`);
    this.files.set(
      this.manifest(minute),
      Buffer.from(JSON.stringify({ version: 0, numShards: 1, status, chunkFilePaths })),
    );
    const segments = { version: 0, lastConsumable: new Date(Date.UTC(2026, 0, 1, 0, lastConsumable)).toISOString() };
    this.files.set('meta/segments.json', Buffer.from(JSON.stringify(segments)));
  }

  manifest(minute: number): string {
    return `idx/segments/${timePath(minute)}/meta.json`;
  }

  shard(minute: number, shard = '00'): string {
    return `log/${shard}/${timePath(minute)}/`;
  }

  etagOf(path: string): string {
    return etagOf(this.files.get(path) ?? Buffer.alloc(0));
  }

  append(path: string, ...parts: readonly Buffer[]): void {
    this.files.set(path, Buffer.concat([this.files.get(path) ?? Buffer.alloc(0), ...parts]));
  }

  async readText(path: string, { ifNoneMatch }: FeedCondition) {
    await this.#ask(`text ${path}`);
    const file = this.files.get(path);
    if (this.files.size === 0) throw new FeedUnavailableError('not-enabled', 'no feed');
    if (file !== undefined && etagOf(file) === ifNoneMatch) return 'unchanged' as const;
    return file && { text: file.toString('utf8'), etag: etagOf(file) };
  }

  async *list(prefix: string) {
    await this.#ask(`list ${prefix}`);
    const paths = [...this.files.keys()].filter((path) => path.startsWith(prefix)).sort();
    for (const path of paths) {
      const file = this.files.get(path) ?? Buffer.alloc(0);
      yield { path, length: file.length, etag: etagOf(file), modifiedAt: this.now };
    }
  }

  async readRange(path: string, offset: number, length: number, { ifNoneMatch }: FeedCondition) {
    this.underWay += length;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    try {
      await this.#ask(`range ${path}`);
    } finally {
      this.underWay -= length;
    }
    const file = this.files.get(path);
    if (file === undefined) return undefined;
    if (etagOf(file) === ifNoneMatch) return 'unchanged' as const;
    const bytes = new Uint8Array(file.subarray(offset, offset + length));
    this.ranges.push({ path, offset, bytes: bytes.length });
    return { bytes, etag: etagOf(file) };
  }

  async #ask(asked: string): Promise<void> {
    this.asked.push(asked);
    await this.onAsk?.(asked, this.asked.length);
  }
}

const etags = new WeakMap<Buffer, string>();

function etagOf(file: Buffer): string {
  const etag = etags.get(file) ?? createHash('md5').update(file).digest('hex');
  etags.set(file, etag);
  return etag;
}

/** `2026/01/01/HHMM`, and on from there. */
function timePath(minute: number): string {
  const [date = '', time = ''] = new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString().split('T');
  return `${date.replaceAll('-', '/')}/${time.slice(0, 5).replace(':', '')}`;
}
