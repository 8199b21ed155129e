import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startTestStorage, type TestStorage } from './test-storage.ts';

const NAMES = [
  'plain',
  'comma, and "quote"',
  'line\u2028apart',
  'ü/漢 %?#',
  ...Array.from({ length: 40 }, (_, at) => `many/${at}`),
];

interface Manifest {
  readonly status: string;
  readonly files: readonly { readonly blob: string; readonly size: number }[];
  readonly summary: { readonly objectCount: number; readonly totalObjectSize: number };
  readonly inventoryStartTime: string;
  readonly inventoryCompletionTime: string;
  readonly ruleDefinition: { readonly schemaFields: readonly string[] };
}

describe('the inventory', () => {
  let storage: TestStorage;

  beforeAll(async () => {
    storage = await startTestStorage();
    for (const container of ['lake', 'other']) {
      const client = await storage.container(container);
      for (const name of NAMES) {
        await client.getBlockBlobClient(name).upload(name, Buffer.byteLength(name), { metadata: { of: 'test' } });
      }
      await client.getBlockBlobClient('plain').createSnapshot();
    }
  });
  afterAll(() => storage[Symbol.asyncDispose]());

  async function bytes(path: string): Promise<Buffer> {
    return storage.account.getContainerClient('inventory').getBlobClient(path).downloadToBuffer();
  }

  async function manifestOf(path: string): Promise<Manifest> {
    return JSON.parse((await bytes(path.slice('inventory/'.length))).toString()) as Manifest;
  }

  it('writes several CSV files in no order, then the manifest, then its checksum, then tells', async () => {
    const { manifest: path, status } = await storage.control.runInventory({ filesOf: 25 });
    expect(status).toBe('Succeeded');
    expect(path).toMatch(/^inventory\/\d{4}\/\d\d\/\d\d\/\d\d-\d\d-\d\d\/isthmus\/isthmus-manifest\.json$/);
    const manifest = await manifestOf(path);
    expect(manifest.files.length).toBeGreaterThanOrEqual(4);
    const text = await bytes(path.slice('inventory/'.length));
    const checksum = await bytes(path.slice('inventory/'.length).replace('.json', '.checksum'));
    expect(checksum.toString().toLowerCase()).toBe(createHash('md5').update(text).digest('hex'));
    const rows: Record<string, string>[] = [];
    for (const { blob, size } of manifest.files) {
      const file = await bytes(blob);
      expect(file.length).toBe(size);
      for await (const row of Readable.from([file]).pipe(parse({ columns: true })))
        rows.push(row as Record<string, string>);
    }
    const named = rows.map(({ Name }) => Name ?? '').filter((name) => !name.startsWith('inventory/'));
    expect(named.toSorted()).toEqual(
      ['lake', 'other'].flatMap((container) => NAMES.map((name) => `${container}/${name}`)).toSorted(),
    );
    expect(named).not.toEqual(named.toSorted());
    expect(manifest.summary.objectCount).toBe(rows.length);
    const row = rows.find(({ Name }) => Name === 'lake/plain') ?? expect.fail('not listed');
    const blob = await storage.account.getContainerClient('lake').getBlobClient('plain').getProperties();
    expect(row).toMatchObject({
      ETag: blob.etag?.replaceAll('"', ''),
      'Content-Length': '5',
      BlobType: 'BlockBlob',
      AccessTier: 'Hot',
      Metadata: '{"of":"test"}',
      'Last-Modified': `${blob.lastModified?.toISOString().slice(0, 19)}Z`,
    });
    expect(Object.keys(row)).toEqual(manifest.ruleDefinition.schemaFields);
    await eventually(async () => {
      const event = storage.events.find(({ eventType }) => eventType.endsWith('BlobInventoryPolicyCompleted'));
      expect(event?.subject).toBe('BlobDataManagement/BlobInventory');
      expect(event?.data).toMatchObject({
        ruleName: 'isthmus',
        policyRunStatus: 'Succeeded',
        manifestBlobUrl: `${storage.endpoint}/${path}`,
      });
    });
  });

  it('writes the same in Parquet, with times as timestamps and lengths as longs', async () => {
    const { manifest: path } = await storage.control.runInventory({ format: 'parquet', rule: 'columns' });
    const manifest = await manifestOf(path);
    const rows: Record<string, unknown>[] = [];
    for (const { blob, size } of manifest.files) {
      const file = await bytes(blob);
      expect(file.length).toBe(size);
      const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.length) as ArrayBuffer;
      rows.push(...(await parquetReadObjects({ file: buffer })));
    }
    expect(manifest.summary.objectCount).toBe(rows.length);
    const row = rows.find(({ Name }) => Name === 'other/ü/漢 %?#');
    expect(row).toMatchObject({
      'Content-Length': BigInt(Buffer.byteLength('ü/漢 %?#')),
      BlobType: 'BlockBlob',
      ServerEncrypted: true,
    });
    expect(row?.['Last-Modified']).toBeInstanceOf(Date);
  });

  it('7: leaves a Pending manifest without files where it is stopped, and tells nothing', async () => {
    await storage.settled();
    const from = storage.events.length;
    await storage.control.setFaults({ inventory: { stop: true } });
    const { manifest: path, status } = await storage.control.runInventory({ rule: 'stopped' });
    await storage.control.clearFaults();
    expect(status).toBe('Pending');
    expect(await manifestOf(path)).toMatchObject({ status: 'Pending', files: [] });
    await storage.settled();
    expect(storage.events.slice(from).map(({ data }) => data.api)).toEqual(['PutBlob']);
  });

  it('says how a run ended that did not succeed', async () => {
    const { manifest: path } = await storage.control.runInventory({ rule: 'partly', status: 'PartiallySucceeded' });
    expect(await manifestOf(path)).toMatchObject({ status: 'PartiallySucceeded' });
    await eventually(async () =>
      expect(storage.events.map(({ data }) => [data.ruleName, data.policyRunStatus])).toContainEqual([
        'partly',
        'PartiallySucceeded',
      ]),
    );
  });

  it('runs by itself where a schedule is set', async () => {
    await using scheduled = await startTestStorage({ inventoryEveryMs: 300 });
    await eventually(async () =>
      expect(scheduled.events.map(({ eventType }) => eventType)).toContain(
        'Microsoft.Storage.BlobInventoryPolicyCompleted',
      ),
    );
  });
});
