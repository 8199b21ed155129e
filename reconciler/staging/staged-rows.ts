import { storedName } from '../../schema/index/names.ts';
import { storableJson, storableText } from '../../schema/index/storable.ts';
import type { InventoryRow } from '../../schema/inventory/row.ts';

/** What a judge said of a name. */
export interface StagedRow extends Omit<Partial<InventoryRow>, 'container' | 'kind'> {
  readonly name: string;
  /** The server's time of the page of List Blobs that names it; rows of a report have none. */
  readonly listedAt?: number | undefined;
}

/** The columns of `listed` and of `differing`; those of one width first, so that nothing is padded. */
export const LISTED_COLUMNS = [
  ...['length', 'last_modified', 'listed_at', 'part', 'account_id', 'container_id', 'blob_type'],
  ...['head', 'tail', 'tail_hash', 'etag', 'content_type', 'md5', 'tier', 'metadata'],
] as const;

/** Every row begins with how many values follow, each with its length in bytes. */
const COUNT = 2;
const LENGTH = 4;
const NULL = -1;
const TWO_TO_32 = 4_294_967_296;
const ASCII = 0x7f;

/**
 * Writes rows of `listed` in COPY's binary format (Postgres documentation, `COPY`, "Binary Format"), without its header
 * and trailer. A row of text costs three times the processor, most of it for garbage and for what must be escaped.
 */
export class StagedRows {
  readonly #of: { readonly part: number; readonly accountId: number };
  readonly #size: number;
  #bytes: Buffer<ArrayBuffer>;
  #view: DataView;
  #at = 0;

  /** @param size bytes that are there from the beginning. */
  constructor(of: { readonly part: number; readonly accountId: number }, size: number) {
    this.#of = of;
    this.#size = size;
    this.#bytes = Buffer.allocUnsafeSlow(size);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes that were written and not taken. */
  get length(): number {
    return this.#at;
  }

  add(row: StagedRow, containerId: number): void {
    const { head, tail, tailHash } = storedName(row.name);
    this.#reserve(COUNT);
    this.#view.setInt16(this.#at, LISTED_COLUMNS.length);
    this.#at += COUNT;
    this.#bigint(row.length);
    this.#bigint(row.lastModified);
    this.#bigint(row.listedAt);
    this.#integer(this.#of.part);
    this.#integer(this.#of.accountId);
    this.#integer(containerId);
    this.#text(row.blobType);
    this.#text(head);
    this.#text(tail);
    this.#hex(tailHash);
    this.#text(row.etag);
    this.#text(row.contentType);
    this.#text(row.md5);
    this.#text(row.tier);
    // The binary form of jsonb is its text behind the version 1.
    this.#text(row.metadata === undefined ? undefined : `\u0001${storableJson(row.metadata)}`);
  }

  /** @returns what was written, in a buffer that nobody else uses; the next rows go into another one. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, this.#at);
    this.#bytes = Buffer.allocUnsafeSlow(this.#size);
    this.#view = new DataView(this.#bytes.buffer);
    this.#at = 0;
    return taken;
  }

  #bigint(value: number | undefined): void {
    if (value === undefined) {
      this.#null();
      return;
    }
    this.#reserve(LENGTH + 8);
    const high = Math.floor(value / TWO_TO_32);
    this.#view.setInt32(this.#at, 8);
    this.#view.setInt32(this.#at + 4, high);
    this.#view.setUint32(this.#at + 8, value - high * TWO_TO_32);
    this.#at += LENGTH + 8;
  }

  #integer(value: number): void {
    this.#reserve(LENGTH + 4);
    this.#view.setInt32(this.#at, 4);
    this.#view.setInt32(this.#at + 4, value);
    this.#at += LENGTH + 4;
  }

  #hex(value: string): void {
    this.#reserve(LENGTH + value.length / 2);
    this.#view.setInt32(this.#at, value.length / 2);
    if (value !== '') this.#bytes.write(value, this.#at + LENGTH, 'hex');
    this.#at += LENGTH + value.length / 2;
  }

  #text(value: string | undefined): void {
    if (value === undefined) {
      this.#null();
      return;
    }
    // A unit of UTF-16 takes three bytes of UTF-8 at most.
    this.#reserve(LENGTH + value.length * 3);
    const start = this.#at + LENGTH;
    const bytes = this.#bytes;
    let length = 0;
    for (; length < value.length; length++) {
      const unit = value.charCodeAt(length);
      if (unit > ASCII || unit === 0) break;
      bytes[start + length] = unit;
    }
    if (length < value.length) length = bytes.write(storableText(value), start, 'utf8');
    this.#view.setInt32(this.#at, length);
    this.#at = start + length;
  }

  #null(): void {
    this.#reserve(LENGTH);
    this.#view.setInt32(this.#at, NULL);
    this.#at += LENGTH;
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
