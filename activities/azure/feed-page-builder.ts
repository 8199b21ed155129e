import type { BlobEvent } from '../../namespace/change.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import type { AvroBlock } from '../../schema/feed/avro-block.ts';
import type { AvroHeader } from '../../schema/feed/avro-header.ts';
import { type ReadRecord, readRecord } from '../../schema/feed/record.ts';
import { decodeUsedFields } from '../../schema/feed/record-type.ts';
import type { ShardPosition } from '../../schema/index/feed-cursors.ts';
import type { FeedPage, RefusedRecord } from './feed-page.ts';

/** Gathers the blocks of one page. */
export class PageBuilder {
  readonly #source: 'feed' | 'replay';
  readonly #from: ShardPosition | undefined;
  readonly #events: BlobEvent[] = [];
  readonly #refused: RefusedRecord[] = [];
  readonly #ignored: Record<string, number> = {};
  readonly #byType: Record<string, number> = {};
  #records = 0;
  #bytes = 0;
  #newest: Timestamp | undefined;

  constructor(source: 'feed' | 'replay', from: ShardPosition | undefined) {
    this.#source = source;
    this.#from = from;
  }

  get records(): number {
    return this.#records;
  }

  /** Takes a block's records from index `skip` on: all of them or, where one cannot be read, none. */
  add(path: string, header: AvroHeader, block: AvroBlock, skip: number): void {
    const records = decodeUsedFields(path, header, block);
    const position = { path, offset: block.offset, index: skip };
    const read: ReadRecord[] = [];
    for (; position.index < records.length; position.index++) {
      read.push(readRecord(records[position.index], position, this.#source));
    }
    for (const record of read) this.#take(record);
    this.#bytes += block.next - block.offset;
  }

  #take({ type, change }: ReadRecord): void {
    this.#records++;
    this.#byType[type] = (this.#byType[type] ?? 0) + 1;
    if ('ignored' in change) {
      const { ignored, subject, eventId } = change;
      this.#ignored[ignored] = (this.#ignored[ignored] ?? 0) + 1;
      if (ignored === 'unstorable-name') this.#refused.push({ reason: ignored, subject, eventId });
      return;
    }
    this.#events.push(change);
    if (this.#newest === undefined || change.time > this.#newest) this.#newest = change.time;
  }

  build(segment: string, shard: string, to: ShardPosition): FeedPage {
    return {
      segment,
      shard,
      from: this.#from,
      to,
      events: this.#events,
      ignored: this.#ignored,
      refused: this.#refused,
      records: this.#records,
      bytes: this.#bytes,
      byType: this.#byType,
      newest: this.#newest,
    };
  }
}
