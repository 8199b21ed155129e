import type { BlobPage, BlobSource } from '../../../schema/ports/blob-source.ts';

/** A container in memory that can only be listed and read: any other use fails. */
export class MemoryBlobs implements Pick<BlobSource, 'listBlobs' | 'readRange'> {
  readonly #blobs = new Map<string, { readonly bytes: Buffer; readonly etag: string }>();
  readonly reads: string[] = [];
  /** How often the listing says each, at the end of one page and at the beginning of the next. */
  times = 1;
  /** Prefixes that were listed. */
  readonly listed: string[] = [];
  pageSize = Number.POSITIVE_INFINITY;
  onRead: (name: string) => void = () => {};
  #etag = 0;

  put(name: string, content: unknown): void {
    const bytes = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
    this.#blobs.set(name, { bytes, etag: `0x${++this.#etag}` });
  }

  remove(name: string): void {
    this.#blobs.delete(name);
  }

  get source(): BlobSource {
    return this as unknown as BlobSource;
  }

  async *listBlobs(_container: string, prefix: string): AsyncGenerator<BlobPage> {
    this.listed.push(prefix);
    const names = [...this.#blobs.keys()].filter((name) => name.startsWith(prefix)).toSorted();
    const blobs = names.flatMap((name) => {
      const { bytes, etag } = this.#blobs.get(name) ?? { bytes: Buffer.alloc(0), etag: '' };
      return Array.from({ length: this.times }, () => ({ name, attributes: { etag, length: bytes.length } }));
    });
    // After all that the events in them tell of.
    const time = Date.UTC(2026, 11, 1);
    const size = this.times === 1 ? Math.min(this.pageSize, Math.max(1, blobs.length)) : 2;
    for (let at = 0; at === 0 || at < blobs.length; at += size) yield { blobs: blobs.slice(at, at + size), time };
  }

  async readRange({ name }: { readonly name: string }): Promise<AsyncIterable<Uint8Array>> {
    this.reads.push(name);
    this.onRead(name);
    const bytes = this.#blobs.get(name)?.bytes ?? Buffer.alloc(0);
    return (async function* () {
      yield bytes.subarray(0, 10);
      yield bytes.subarray(10);
    })();
  }
}
