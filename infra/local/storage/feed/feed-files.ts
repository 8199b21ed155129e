import { type ContainerClient, RestError } from '@azure/storage-blob';

/** Azure's own append limit is higher; more is sent in several. */
const APPEND_BYTES = 4 * 1024 * 1024;

/** What the writer does with the feed's container. */
export type FilesOfFeed = Pick<FeedFiles, keyof FeedFiles>;

/** The feed's container in Azurite. */
export class FeedFiles {
  readonly #container: ContainerClient;

  constructor(container: ContainerClient) {
    this.#container = container;
  }

  async createContainer(): Promise<void> {
    await this.#container.createIfNotExists();
  }

  async putText(path: string, text: string): Promise<void> {
    const blob = this.#container.getBlockBlobClient(path);
    await blob.upload(text, Buffer.byteLength(text), { blobHTTPHeaders: { blobContentType: 'application/json' } });
  }

  async createChunk(path: string): Promise<void> {
    const blob = this.#container.getAppendBlobClient(path);
    await blob.createIfNotExists({ blobHTTPHeaders: { blobContentType: 'avro/binary' } });
  }

  /** Length in bytes; undefined where there is no such chunk. */
  async chunkLength(path: string): Promise<number | undefined> {
    try {
      return (await this.#container.getAppendBlobClient(path).getProperties()).contentLength;
    } catch (error) {
      if (error instanceof RestError && error.statusCode === 404) return undefined;
      throw error;
    }
  }

  /** Appends exactly at this offset; fails where the chunk is of another length, so that nothing is written twice. */
  async append(path: string, offset: number, bytes: Buffer): Promise<void> {
    const blob = this.#container.getAppendBlobClient(path);
    for (let at = 0; at < bytes.length; at += APPEND_BYTES) {
      const piece = bytes.subarray(at, at + APPEND_BYTES);
      await blob.appendBlock(piece, piece.length, { conditions: { appendPosition: offset + at } });
    }
  }
}
