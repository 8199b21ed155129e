import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerClient } from '@azure/storage-blob';
import avsc from 'avsc';

/** A record that has become readable. */
export interface ReadableRecord {
  readonly subject: string;
  /** As the feed prints it. */
  readonly sequencer: string;
  readonly eventTime: string;
  /** The last moment at which it was not there yet: what is measured from here is never too short. */
  readonly readableAt: number;
}

interface Chunk {
  readonly decoder: avsc.streams.BlockDecoder;
  length: number;
  /** When it was last seen without what the decoder is given now. */
  absentAt: number;
}

interface Decoded {
  readonly subject: string;
  readonly eventTime: string;
  readonly data: { readonly sequencer: string };
}

/**
 * Watches a feed's chunks grow and tells of every record when it can be read. By avsc's own container reader and a
 * listing alone: nothing that is measured takes part.
 */
export class FeedWatch {
  readonly #feed: ContainerClient;
  readonly #tell: (record: ReadableRecord) => void;
  readonly #chunks = new Map<string, Chunk>();
  #absentAt = Date.now();
  #lastError: string | undefined;

  constructor(feed: ContainerClient, tell: (record: ReadableRecord) => void) {
    this.#feed = feed;
    this.#tell = tell;
  }

  /** Why the last look failed; looks go on. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** Looks again and again until aborted. */
  async run(everyMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look().then(
        () => {
          this.#lastError = undefined;
        },
        (error: unknown) => {
          this.#lastError = String(error);
        },
      );
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const began = Date.now();
    for await (const { name, properties } of this.#feed.listBlobsFlat({ prefix: 'log/' })) {
      const length = properties.contentLength ?? 0;
      const chunk = this.#chunks.get(name) ?? this.#newChunk();
      this.#chunks.set(name, chunk);
      if (length <= chunk.length) continue;
      const grown = length - chunk.length;
      const bytes = await this.#feed.getBlobClient(name).downloadToBuffer(chunk.length, grown);
      chunk.length = length;
      chunk.absentAt = this.#absentAt;
      await new Promise((resolve) => chunk.decoder.write(bytes, resolve));
    }
    this.#absentAt = began;
  }

  #newChunk(): Chunk {
    const decoder = new avsc.streams.BlockDecoder({
      parseHook: (schema) => avsc.Type.forSchema(schema, { wrapUnions: false }),
    });
    const chunk: Chunk = { decoder, length: 0, absentAt: 0 };
    decoder.on('data', ({ subject, eventTime, data }: Decoded) => {
      this.#tell({ subject, eventTime, sequencer: data.sequencer, readableAt: chunk.absentAt });
    });
    return chunk;
  }
}
