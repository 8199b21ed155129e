import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { readCsvRows } from '../../../schema/inventory/csv-rows.ts';
import { readParquetRows } from '../../../schema/inventory/parquet-rows.ts';
import type { InventoryRow } from '../../../schema/inventory/row.ts';

async function* inPieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(batches: AsyncIterable<readonly InventoryRow[]>): Promise<InventoryRow[]> {
  const rows: InventoryRow[] = [];
  for await (const batch of batches) rows.push(...batch);
  return rows;
}

const csv = (text: string, size = 7) => collect(readCsvRows(inPieces(text, size)));

function parquet(
  columns: readonly { name: string; data: unknown[]; type?: 'STRING' | 'INT64' | 'TIMESTAMP' | 'BOOLEAN' }[],
  rowGroupSize = 3,
): Uint8Array {
  const columnData = columns.map((column) => ({ ...column, data: column.data as string[] }));
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize }));
}

const readParquet = (bytes: Uint8Array, batch?: number) =>
  collect(readParquetRows(bytes.length, async (offset, length) => bytes.slice(offset, offset + length), batch));

describe('rows of a report', () => {
  it('come from CSV with names that hold commas, quotes and line breaks, cut anywhere between two reads', async () => {
    const names = fc.array(
      fc.tuple(fc.string({ minLength: 1, unit: 'binary' }), fc.constantFrom(',', '"', '\n', '\r\n', '')),
      { minLength: 1, maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(names, { maxLength: 20 }), fc.integer({ min: 1, max: 50 }), async (parts, size) => {
        const expected = parts.map((part) => `c/${part.flat().join('')}`);
        const text = stringify([['Name', 'Etag'], ...expected.map((name) => [name, '0x1'])], {
          quoted_match: /[\r\n]/,
        });
        const rows = await csv(text, size);
        expect(rows.map((row) => `${row.container}/${row.name}`)).toEqual(expected);
      }),
    );
  });

  it('are found by column, whatever the order and case, and unknown columns are left alone', async () => {
    const [row] = await csv(
      'content-length,LastAccessTime,NAME,ETag,Last-Modified,Content-Md5,BLOBTYPE,AccessTier,Metadata\n' +
        '12,whenever,c/a/b,"""0x8D""",2026-01-02T03:04:05Z,q80=,blockblob,Hot,"{""a"":""b""}"\n',
    );
    expect(row).toEqual({
      kind: 'base',
      container: 'c',
      name: 'a/b',
      etag: '0x8D',
      length: 12,
      lastModified: Date.parse('2026-01-02T03:04:05Z'),
      blobType: 'BlockBlob',
      contentType: undefined,
      md5: 'q80=',
      tier: 'Hot',
      metadata: { a: 'b' },
    });
  });

  it('tell snapshots, old versions, deleted blobs and folders from blobs', async () => {
    const rows = await csv(
      'Name,Snapshot,VersionId,IsCurrentVersion,Deleted,hdi_isfolder\n' +
        'c/base,,,,,\nc/current,,v2,true,false,\nc/old,,v1,false,,\nc/snap,2026-01-01,,,,\nc/gone,,,,true,\nc/dir,,,,,true\n',
    );
    expect(rows.map((row) => row.kind)).toEqual(['base', 'base', 'version', 'snapshot', 'deleted', 'folder']);
  });

  it('come from Parquet by row group, in batches, with types of its own', async () => {
    const count = 10;
    const at = (row: number) => new Date(Date.UTC(2026, 0, row + 1));
    const bytes = parquet([
      { name: 'Content-Length', data: Array.from({ length: count }, (_, row) => BigInt(row)), type: 'INT64' },
      { name: 'Ignored', data: Array.from({ length: count }, () => 'x') },
      { name: 'Name', data: Array.from({ length: count }, (_, row) => `c/${row},"é\n`), type: 'STRING' },
      { name: 'Last-Modified', data: Array.from({ length: count }, (_, row) => at(row)), type: 'TIMESTAMP' },
      { name: 'Deleted', data: Array.from({ length: count }, (_, row) => row === 4), type: 'BOOLEAN' },
    ]);
    const rows = await readParquet(bytes, 2);
    expect(rows.map((row) => row.name)).toEqual(Array.from({ length: count }, (_, row) => `${row},"é\n`));
    expect(rows.map((row) => row.length)).toEqual(Array.from({ length: count }, (_, row) => row));
    expect(rows.map((row) => row.lastModified)).toEqual(Array.from({ length: count }, (_, row) => at(row).getTime()));
    expect(rows.map((row) => row.kind)).toEqual(
      Array.from({ length: count }, (_, row) => (row === 4 ? 'deleted' : 'base')),
    );
  });

  it('are none of a file with a header alone', async () => {
    expect(await csv('Name,Etag\n')).toEqual([]);
    expect(await readParquet(parquet([{ name: 'Name', data: [], type: 'STRING' }]))).toEqual([]);
  });
});

describe('7: a report that cannot be read is refused whole', () => {
  const broken = [
    ['ends within a quote', 'Name,Etag\n"c/a', /line 2 has a quote that is not closed/],
    ['has a row of other length', 'Name,Etag\nc/a\n', /line 2 has 1 column, its header 2/],
    ['has no Name', 'Etag\n0x1\n', /no Name column/],
    ['has a column twice', 'Name,Etag,ETag\nc/a,1,2\n', /comes twice/],
    ['has a name without a container', 'Name\n/a\n', /not a container\/name/],
    ['has a length that is none', 'Name,Content-Length\nc/a,many\n', /no length/],
  ] as const;
  for (const [what, text, reason] of broken) {
    it(`where the CSV ${what}`, async () => {
      await expect(csv(text)).rejects.toThrow(reason);
    });
  }

  it('where reading fails in the middle', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode('Name\nc/a\n');
      throw new Error('connection cut');
    }
    await expect(collect(readCsvRows(failing()))).rejects.toThrow('connection cut');
  });

  it('where the Parquet file is cut off or damaged', async () => {
    const bytes = parquet([{ name: 'Name', data: ['c/a', 'c/b', 'c/c', 'c/d'], type: 'STRING' }]);
    await expect(readParquet(bytes.slice(0, -20))).rejects.toThrow();
    await expect(readParquet(bytes.slice(0, 6))).rejects.toThrow();
    await expect(readParquet(new Uint8Array(0))).rejects.toThrow();
  });
});
