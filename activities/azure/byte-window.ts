const NOTHING = new Uint8Array();
/** More than a block of Azure's has. */
const JOINED = 128 * 1024;

/**
 * The part of a file that is at hand. It moves forward: bytes are added at its end and dropped at its beginning.
 *
 * A slice that is added stays where it is: only as much of it is copied as the block needs that began before it.
 * Copying whole slices took 8 % of the reading.
 */
export class ByteWindow {
  /** With room after `#length` where bytes were gathered. */
  #buffer: Uint8Array = NOTHING;
  #length = 0;
  #start = 0;
  /** What was added last, at this place of the file: its beginning may be among the bytes above already. */
  #added: { readonly bytes: Uint8Array; readonly at: number } | undefined;

  /** Everything that is at hand, in one piece: good until bytes are added. */
  get bytes(): Uint8Array {
    while (this.join());
    return this.head;
  }

  /** What is in one piece without copying: good until bytes are joined or added. */
  get head(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Of the first byte, in the file. */
  get start(): number {
    return this.#start;
  }

  /** After the last byte, in the file. */
  get end(): number {
    return this.#added === undefined ? this.#start + this.#length : this.#added.at + this.#added.bytes.length;
  }

  /** Drops what stands before an offset of the file; everything, where the offset is elsewhere. */
  seek(offset: number): void {
    if (offset === this.#start) return;
    if (offset < this.#start || offset > this.end) {
      this.#hold(NOTHING);
    } else if (this.#added !== undefined && offset >= this.#added.at) {
      this.#hold(this.#added.bytes.subarray(offset - this.#added.at));
    } else {
      this.#buffer = this.#buffer.subarray(offset - this.#start);
      this.#length -= offset - this.#start;
    }
    this.#start = offset;
  }

  append(bytes: Uint8Array): void {
    if (this.end === this.#start) this.#hold(bytes);
    else if (this.#added === undefined && bytes.length > JOINED) this.#added = { bytes, at: this.end };
    else {
      while (this.join());
      this.#copy(bytes);
    }
  }

  /** Makes the head longer. @returns whether there was more. */
  join(): boolean {
    if (this.#added === undefined) return false;
    const { bytes, at } = this.#added;
    const from = this.#start + this.#length - at;
    const to = Math.min(bytes.length, from + Math.max(JOINED, this.#length));
    this.#copy(bytes.subarray(from, to));
    if (to === bytes.length) this.#added = undefined;
    return true;
  }

  #hold(bytes: Uint8Array): void {
    this.#buffer = bytes;
    this.#length = bytes.length;
    this.#added = undefined;
  }

  /** Room is doubled, so that each byte is copied a few times at most, however small the slices are. */
  #copy(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (this.#buffer.length < length) {
      const roomy = new Uint8Array(Math.max(length, 2 * this.#length));
      roomy.set(this.head);
      this.#buffer = roomy;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }
}
