import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checksumMatches } from '../../../schema/inventory/checksum.ts';
import { parseManifest } from '../../../schema/inventory/manifest.ts';
import { checksumPath, monthFolder, parseManifestPath } from '../../../schema/inventory/paths.ts';
import { hasRealData, REAL_DATA } from '../../support/real-data.ts';

const read = (path: string) => readFileSync(`${REAL_DATA}/${path}`, 'utf8');

describe.skipIf(!hasRealData)('recorded samples', () => {
  it('of a manifest are read', () => {
    expect(parseManifest(read('inventory/docs-samples/Rule_1-manifest.json'))).toEqual({
      account: 'testaccount',
      status: 'Succeeded',
      rule: 'Rule_1',
      objectType: 'blob',
      format: 'csv',
      fields: [
        'Name',
        'Creation-Time',
        'BlobType',
        'Content-Length',
        'LastAccessTime',
        'Last-Modified',
        'Metadata',
        'AccessTier',
      ],
      filters: {
        prefixMatch: ['penner-test-container-100003'],
        excludePrefix: [],
        blobTypes: ['blockBlob'],
        createdInLastDays: undefined,
      },
      files: [{ blob: '2021/05/26/13-25-36/Rule_1/Rule_1.csv', size: 12710092 }],
      start: Date.parse('2021-05-26T13:25:36Z'),
      completion: Date.parse('2021-05-26T13:35:56Z'),
      objectCount: 110000,
    });
  });

  it('of rule definitions, as real policies and the API spell them, make readable manifests', () => {
    const policies = [
      JSON.parse(read('inventory/third-party-samples/InventoryRules.json').replace(/^\/\/.*\n/, '')),
      JSON.parse(read('inventory/arm-policy-examples/2021-04-01-StorageAccountSetBlobInventoryPolicy.json')).parameters
        .properties,
    ];
    const definitions = policies.flatMap((policy) => policy.properties.policy.rules);
    expect(definitions.length).toBeGreaterThan(2);
    for (const { definition, name } of definitions) {
      const manifest = parseManifest(
        JSON.stringify({
          ruleDefinition: definition,
          ruleName: name,
          status: 'Pending',
          inventoryStartTime: '2026-01-01T00:00:00Z',
        }),
      );
      expect(manifest.format).toBe(definition.format.toLowerCase());
      expect(manifest.filters.prefixMatch).toEqual(definition.filters?.prefixMatch ?? []);
    }
  });
});

describe('a manifest', () => {
  const pending = {
    ruleName: 'r',
    status: 'Pending',
    inventoryStartTime: '2026-01-01T00:00:00Z',
    ruleDefinition: { format: 'parquet', objectType: 'blob' },
  };

  it('that is pending need not name files or counts', () => {
    expect(parseManifest(JSON.stringify(pending))).toMatchObject({
      status: 'Pending',
      files: [],
      objectCount: undefined,
    });
  });

  it('that bounds creation is known as such, however the bound is written', () => {
    const filters = { creationTime: { lastNDays: 7 } };
    const manifest = { ...pending, ruleDefinition: { ...pending.ruleDefinition, filters } };
    expect(parseManifest(JSON.stringify(manifest)).filters.createdInLastDays).toBe(7);
    const odd = { ...manifest, ruleDefinition: { ...manifest.ruleDefinition, filters: { creationTime: {} } } };
    expect(parseManifest(JSON.stringify(odd)).filters.createdInLastDays).toBe(0);
  });

  it('that is none is refused with the field', () => {
    expect(() => parseManifest('{')).toThrow(/not JSON/);
    expect(() => parseManifest('[]')).toThrow(/no inventory manifest/);
    expect(() => parseManifest(JSON.stringify({ ...pending, status: 'Cancelled' }))).toThrow(/status.*one of Pending/);
    expect(() => parseManifest(JSON.stringify({ ...pending, inventoryStartTime: 'soon' }))).toThrow(
      /inventoryStartTime/,
    );
    expect(() => parseManifest(JSON.stringify({ ...pending, summary: { objectCount: -1 } }))).toThrow(/objectCount/);
  });
});

describe('a checksum', () => {
  it('is the MD5 of the manifest, in hex of either case or base64, and nothing else', () => {
    const manifest = new TextEncoder().encode('{"status":"Succeeded"}');
    const hash = createHash('md5').update(manifest).digest();
    for (const printed of [hash.toString('hex'), hash.toString('hex').toUpperCase(), `${hash.toString('base64')}\n`]) {
      expect(checksumMatches(manifest, printed)).toBe(true);
      expect(checksumMatches(new Uint8Array([...manifest, 32]), printed)).toBe(false);
    }
    expect(checksumMatches(manifest, '')).toBe(false);
  });
});

describe('paths', () => {
  it('of manifests tell rule and time; other files of a report are no manifests', () => {
    const path = '2021/05/26/13-25-36/Rule_1/Rule_1-manifest.json';
    expect(parseManifestPath(path)).toEqual({ path, rule: 'Rule_1', time: Date.parse('2021-05-26T13:25:36Z') });
    expect(checksumPath(path)).toBe('2021/05/26/13-25-36/Rule_1/Rule_1-manifest.checksum');
    for (const other of [
      '2021/05/26/13-25-36/Rule_1/Rule_1.csv',
      checksumPath(path),
      'Rule_1-manifest.json',
      `x/${path}`,
    ]) {
      expect(parseManifestPath(other)).toBeUndefined();
    }
  });

  it('of months go back over the turn of a year', () => {
    const time = Date.parse('2026-01-31T23:59:59Z');
    expect([0, -1, 1].map((shift) => monthFolder(time, shift))).toEqual(['2026/01/', '2025/12/', '2026/02/']);
  });
});
