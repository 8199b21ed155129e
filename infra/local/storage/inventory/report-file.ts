import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BlockBlobClient } from '@azure/storage-blob';
import { stringify } from 'csv-stringify';
import { ByteWriter, parquetWriteRows } from 'hyparquet-writer';
import { csvValue, REPORT_FIELDS, type ReportRow } from './report-row.ts';

export type ReportFormat = 'csv' | 'parquet';

const ROWS_WAITING = 256;
const ROWS_PER_GROUP = 5_000;
const UPLOAD_BYTES = 1024 * 1024;
const UPLOADS_AT_ONCE = 2;

/** A data file of a report while it is written: rows go in, bytes go up, a few megabytes wait between. */
export class ReportFile {
  readonly path: string;
  readonly #rows = new PassThrough({ objectMode: true, highWaterMark: ROWS_WAITING });
  readonly #done: Promise<unknown>;
  #count = 0;
  #bytes = 0;

  constructor(path: string, format: ReportFormat, blob: BlockBlobClient) {
    this.path = path;
    const bytes = new PassThrough();
    bytes.on('data', (piece: Buffer) => {
      this.#bytes += piece.length;
    });
    const encoded = format === 'csv' ? writeCsv(this.#rows, bytes) : writeParquet(this.#rows, bytes);
    this.#done = Promise.all([
      encoded,
      blob.uploadStream(bytes, UPLOAD_BYTES, UPLOADS_AT_ONCE, {
        blobHTTPHeaders: { blobContentType: format === 'csv' ? 'text/csv' : 'application/octet-stream' },
      }),
    ]);
    // Awaited by `close`; a failure while rows still come ends their stream.
    this.#done.catch((error: unknown) => this.#rows.destroy(error instanceof Error ? error : new Error(String(error))));
  }

  /** How many rows it holds. */
  get rows(): number {
    return this.#count;
  }

  async write(row: ReportRow): Promise<void> {
    this.#count += 1;
    if (!this.#rows.write(row)) await once(this.#rows, 'drain');
  }

  /** @returns its length in bytes, once it is in the account. */
  async close(): Promise<number> {
    this.#rows.end();
    await this.#done;
    return this.#bytes;
  }
}

async function writeCsv(rows: Readable, bytes: PassThrough): Promise<void> {
  const lines = stringify({ header: true, columns: REPORT_FIELDS.map(({ name }) => name), record_delimiter: 'unix' });
  await pipeline(
    rows,
    async function* (source: AsyncIterable<ReportRow>) {
      for await (const row of source) yield REPORT_FIELDS.map(({ name }) => csvValue(row[name]));
    },
    lines,
    bytes,
  );
}

async function writeParquet(rows: Readable, bytes: PassThrough): Promise<void> {
  const columns = REPORT_FIELDS.map(({ name, type }) => ({ name, type, nullable: true }));
  try {
    await parquetWriteRows({ writer: new StreamWriter(bytes), rows, columns, rowGroupSize: ROWS_PER_GROUP });
    bytes.end();
  } catch (error) {
    bytes.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

/** Hands each row group on as soon as it is encoded, so that a file is never whole in memory. */
class StreamWriter extends ByteWriter {
  readonly #out: PassThrough;

  constructor(out: PassThrough) {
    super();
    this.#out = out;
  }

  async flush(): Promise<void> {
    const piece = Buffer.from(this.getBytes());
    this.index = 0;
    if (piece.length > 0 && !this.#out.write(piece)) await once(this.#out, 'drain');
  }

  override finish(): void {
    void this.flush();
  }
}
