import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeTriggers } from '../../../schema/events/decode.ts';
import { checksumMatches } from '../../../schema/inventory/checksum.ts';
import { parseManifest } from '../../../schema/inventory/manifest.ts';
import { checksumPath, monthFolder, parseManifestPath } from '../../../schema/inventory/paths.ts';
import { readHeader } from '../../../schema/inventory/row.ts';
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

  it('are all read as they are: manifests, events, and the rules of policies as their manifests would repeat them', () => {
    const kinds = { manifests: 0, events: 0, policies: 0, rules: 0 };
    for (const name of readdirSync(`${REAL_DATA}/inventory`, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.json')) continue;
      const text = read(`inventory/${name}`);
      // One policy begins with a comment; a policy is read by people and by Azure, never by Isthmus.
      const value = JSON.parse(text.replace(/^\/\/.*\n/, ''));
      if ('ruleDefinition' in value) {
        kinds.manifests++;
        expect(parseManifest(text), name).toMatchObject({
          account: 'testaccount',
          status: 'Succeeded',
          rule: 'Rule_1',
        });
      } else if ('eventType' in value) {
        kinds.events++;
        const event = { kind: 'inventory-completed', account: 'testaccount', status: 'Succeeded' };
        expect(decodeTriggers(value), name).toMatchObject({ read: [event], refused: [] });
      } else {
        kinds.policies++;
        for (const { definition, name: rule } of rulesOf(value)) {
          // The first version of the API had neither formats nor objects.
          if (definition.format === undefined) continue;
          kinds.rules++;
          const manifest = parseManifest(JSON.stringify({ ...PENDING, ruleDefinition: definition, ruleName: rule }));
          expect(manifest.format, name).toBe(definition.format.toLowerCase());
          expect(manifest.objectType, name).toBe(definition.objectType?.toLowerCase());
          expect(manifest.filters.prefixMatch, name).toEqual(definition.filters?.prefixMatch ?? []);
          const placed = definition.objectType === 'Blob' ? readHeader(definition.schemaFields ?? []) : [];
          expect(placed.length, name).toBe(definition.objectType === 'Blob' ? definition.schemaFields?.length : 0);
        }
      }
    }
    expect(kinds).toEqual({ manifests: 2, events: 2, policies: 7, rules: kinds.rules });
    expect(kinds.rules).toBeGreaterThan(5);
  });
});

interface PolicyRule {
  readonly name: string;
  readonly definition: {
    readonly format?: string;
    readonly objectType?: string;
    readonly schemaFields?: readonly string[];
    readonly filters?: { readonly prefixMatch?: readonly string[] };
  };
}

/** Every list of rules in a policy, however it is wrapped: requests and answers of the API, one or many. */
function rulesOf(value: unknown): readonly PolicyRule[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) =>
    name === 'rules' && Array.isArray(each) ? (each as PolicyRule[]) : rulesOf(each),
  );
}

const PENDING = { status: 'Pending', inventoryStartTime: '2026-01-01T00:00:00Z' };

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
