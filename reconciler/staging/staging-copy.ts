import { once } from 'node:events';
import type { Pool, PoolClient } from 'pg';
import { type CopyStreamQuery, from as copyFrom } from 'pg-copy-streams';

/** A signature, and two numbers that say nothing. */
const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
/** A count of -1. */
const TRAILER = Buffer.from([0xff, 0xff]);

/**
 * One COPY into a table: what is written is there, all of it, once `end` returns, and none of it before or
 * otherwise. What waits in this process is a few hundred kilobytes whatever comes.
 */
export class StagingCopy {
  readonly #client: PoolClient;
  readonly #stream: CopyStreamQuery;
  #failure: Error | undefined;
  #over = false;

  private constructor(client: PoolClient, into: string) {
    this.#client = client;
    this.#stream = client.query(copyFrom(`copy ${into} from stdin (format binary)`));
    this.#stream.write(HEADER);
    this.#stream.on('error', (error) => {
      this.#failure ??= error;
    });
  }

  static async open(pool: Pool, into: string): Promise<StagingCopy> {
    const client = await pool.connect();
    try {
      return new StagingCopy(client, into);
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  /** Takes whole rows in COPY's binary format; returns when more may come. */
  async write(rows: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#stream.write(rows)) await once(this.#stream, 'drain');
  }

  async end(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const done = once(this.#stream, 'finish');
    this.#stream.end(TRAILER);
    await done;
    this.#over = true;
    this.#client.release();
  }

  /** Takes everything back, unless it was ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    // Not by `once`: the server answers what is broken off with an error.
    const closed = new Promise((resolve) => this.#stream.once('close', resolve));
    this.#stream.destroy();
    if (!this.#stream.closed) await closed;
    // A connection that failed in mid-copy is not used again.
    this.#client.release(true);
  }
}
