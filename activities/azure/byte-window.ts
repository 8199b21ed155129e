const NOTHING = new Uint8Array();

/** The part of a file that is at hand. It moves forward: bytes are added at its end and dropped at its beginning. */
export class ByteWindow {
  /** With room after `#length` where bytes were gathered. */
  #buffer: Uint8Array = NOTHING;
  #length = 0;
  #start = 0;

  /** A view, good until bytes are added. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Of the first byte, in the file. */
  get start(): number {
    return this.#start;
  }

  /** After the last byte, in the file. */
  get end(): number {
    return this.#start + this.#length;
  }

  /** Drops what stands before an offset of the file; everything, where the offset is elsewhere. */
  seek(offset: number): void {
    if (offset === this.#start) return;
    if (offset < this.#start || offset > this.end) {
      this.#buffer = NOTHING;
      this.#length = 0;
    } else {
      this.#buffer = this.#buffer.subarray(offset - this.#start);
      this.#length -= offset - this.#start;
    }
    this.#start = offset;
  }

  /** Takes the bytes as they are where nothing is at hand, and else copies: by doubling, so that each is copied a few times at most. */
  append(bytes: Uint8Array): void {
    if (this.#length === 0) {
      this.#buffer = bytes;
      this.#length = bytes.length;
      return;
    }
    const length = this.#length + bytes.length;
    if (this.#buffer.length < length) {
      const roomy = new Uint8Array(Math.max(length, 2 * this.#length));
      roomy.set(this.bytes);
      this.#buffer = roomy;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }
}
