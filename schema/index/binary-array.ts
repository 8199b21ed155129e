/** A Postgres type that an array can be sent of. A `bytea` is given in hex. */
export type Wire = 'text' | 'bigint' | 'integer' | 'smallint' | 'boolean' | 'bytea';

export type Told = string | number | boolean | null | undefined;

const OIDS: Readonly<Record<Wire, number>> = {
  boolean: 16,
  bytea: 17,
  bigint: 20,
  smallint: 21,
  integer: 23,
  text: 25,
};
const HEADER = 20;
const LENGTH = 4;
const TWO_TO_32 = 4_294_967_296;

/**
 * Builds an array in the format in which Postgres receives arrays: one dimension, each element with its length
 * before it. The server then parses nothing: half of what a text literal costs there, and a third less here than the
 * literal's quoting, for a page of 5,000 rows.
 */
export class BinaryArray {
  readonly #wire: Wire;
  #bytes: Buffer;
  #view: DataView;
  #at = HEADER;
  #elements = 0;

  /** @param expected how many elements there will be, about: room is made for them at once. */
  constructor(wire: Wire, expected: number) {
    this.#wire = wire;
    this.#bytes = Buffer.allocUnsafeSlow(HEADER + expected * (LENGTH + (wire === 'text' ? 64 : 24)));
    this.#view = viewOf(this.#bytes);
  }

  /** Null and undefined become NULL. */
  add(value: Told): void {
    this.#elements++;
    if (value === null || value === undefined) {
      this.#reserve(LENGTH);
      this.#view.setInt32(this.#at, -1);
      this.#at += LENGTH;
    } else if (typeof value === 'string') {
      this.#addText(value);
    } else {
      this.#addFixed(Number(value));
    }
  }

  end(): Buffer {
    const view = this.#view;
    view.setInt32(0, this.#elements === 0 ? 0 : 1);
    view.setInt32(4, 0);
    view.setInt32(8, OIDS[this.#wire]);
    view.setInt32(12, this.#elements);
    view.setInt32(16, 1);
    return this.#bytes.subarray(0, this.#elements === 0 ? HEADER - 8 : this.#at);
  }

  #addText(text: string): void {
    const isHex = this.#wire === 'bytea';
    // A unit of UTF-16 takes three bytes of UTF-8 at most.
    this.#reserve(LENGTH + (isHex ? text.length / 2 : text.length * 3));
    const written = this.#bytes.write(text, this.#at + LENGTH, isHex ? 'hex' : 'utf8');
    this.#view.setInt32(this.#at, written);
    this.#at += LENGTH + written;
  }

  #addFixed(value: number): void {
    this.#reserve(LENGTH + 8);
    const view = this.#view;
    const at = this.#at + LENGTH;
    let size: number;
    switch (this.#wire) {
      case 'bigint': {
        size = 8;
        const high = Math.floor(value / TWO_TO_32);
        view.setInt32(at, high);
        view.setUint32(at + 4, value - high * TWO_TO_32);
        break;
      }
      case 'integer':
        size = 4;
        view.setInt32(at, value);
        break;
      case 'smallint':
        size = 2;
        view.setInt16(at, value);
        break;
      case 'boolean':
        size = 1;
        view.setUint8(at, value);
        break;
      default:
        throw new TypeError(`A number was given for an array of ${this.#wire}.`);
    }
    view.setInt32(this.#at, size);
    this.#at = at + size;
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
    this.#view = viewOf(grown);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
