import fc from 'fast-check';
import { expect, it } from 'vitest';
import { blobService } from '../../activities/azure/blob-service.ts';
import { AzureBlobSource } from '../../activities/azure/blob-source.ts';
import { serveBlobs } from '../../bench/feed/blob-server.ts';
import { containerOf, lakeOf, nameOf, plantOf, rowOf, versionOf } from '../../bench/reconcile/lake.ts';
import { answerOf } from '../../bench/reconcile/lake-server.ts';
import { reportRows } from '../../bench/reconcile/report-rows.ts';
import { ACCOUNT, connectionStringOn } from '../../infra/local/storage/account.ts';

const FROM = Date.UTC(2026, 10, 22);
const { signal } = new AbortController();

it('every row of the lake is found by its name', () => {
  const lake = lakeOf(1_000_000_000, 0.001, FROM);
  fc.assert(
    fc.property(fc.nat(lake.rows - 1), (row) => {
      expect(rowOf(lake, containerOf(row), nameOf(row))).toBe(row);
    }),
  );
  expect(rowOf(lakeOf(10, 0, FROM), containerOf(10), nameOf(10))).toBeUndefined();
});

it('a report lists every row once, but for those that are gone, whatever its files hold', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9_000 }), fc.integer({ min: 1_000, max: 5_000 }), (rows, fileRows) => {
      const lake = lakeOf(rows, 0.01, FROM);
      const names: unknown[] = [];
      for (let at = 0; at < rows; at += fileRows) {
        for (const [name] of reportRows(lake, at, Math.min(rows, at + fileRows))) names.push(name);
      }
      const there = Array.from({ length: rows }, (_, row) => row).filter((row) => plantOf(lake, row) !== 'gone');
      expect(names.toSorted()).toEqual(there.map((row) => `${containerOf(row)}/${nameOf(row)}`).toSorted());
    }),
    { numRuns: 6 },
  );
});

it('a listing of a container by the real client brings every row of it, over two pages, as a look does', async () => {
  const lake = lakeOf(18_000, 0.01, FROM);
  const { server, port } = await serveBlobs(import.meta.dirname, 0, answerOf(lake));
  try {
    const blobs = new AzureBlobSource(blobService({ name: ACCOUNT, connectionString: connectionStringOn(port) }));
    const listed = new Map<number, object>();
    const container = containerOf(0);
    for await (const page of blobs.listBlobs(container, '', signal)) {
      for (const { name, attributes } of page.blobs) listed.set(rowOf(lake, container, name) ?? -1, attributes);
    }
    const ours = Array.from({ length: lake.rows }, (_, row) => row).filter((row) => containerOf(row) === container);
    const there = ours.filter((row) => versionOf(lake, row, true));
    expect([...listed.keys()].toSorted((a, b) => a - b)).toEqual(there);
    for (const row of [0, 150, 4_000, 17_999]) {
      const look = await blobs.look({ container: containerOf(row), name: nameOf(row) }, signal);
      expect(look).toMatchObject({ kind: 'found', attributes: listed.get(row) });
    }
    const gone = ours.find((row) => plantOf(lake, row) === 'gone') ?? 0;
    const look = await blobs.look({ container, name: nameOf(gone) }, signal);
    expect(look.kind).toBe('absent');
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
