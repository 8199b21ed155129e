import { describe, expect, it } from 'vitest';
import { judgeNoReport, judgeReport, type NewestReport } from '../../../cli/doctor/judge-inventory.ts';
import { notGood } from './not-good.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 21, 12);
const PLACE = { account: 'contoso', container: 'inventory', everyHours: 24 };
const FILTERS = {
  prefixMatch: [],
  excludePrefix: [],
  blobTypes: ['blockBlob', 'appendBlob'],
  createdInLastDays: undefined,
};
const SOUND: NewestReport = {
  manifest: 'inventory/2026/11/21/02-00-00/daily/daily-manifest.json',
  rule: 'daily',
  status: 'Succeeded',
  objectType: 'blob',
  start: NOW - 10 * HOUR,
  fields: [
    'Name',
    'Last-Modified',
    'Etag',
    'Content-Length',
    'BlobType',
    'Content-Type',
    'Content-MD5',
    'AccessTier',
    'Metadata',
  ],
  filters: FILTERS,
};
const without = (...names: readonly string[]) => SOUND.fields.filter((name) => !names.includes(name));
const judge = (changed: Partial<NewestReport>) => notGood(judgeReport(PLACE, { ...SOUND, ...changed }, NOW));

describe('an inventory report', () => {
  it('with all that a reconcile needs is no finding', () => {
    expect(judge({})).toEqual([]);
  });

  it.each<[string, Partial<NewestReport>, string, string]>([
    ['a report without ETag', { fields: without('Etag') }, 'wrong', 'inventory.fields'],
    ['one without two of them', { fields: without('Last-Modified', 'Content-Length') }, 'wrong', 'inventory.fields'],
    ['one without what entries want', { fields: without('Metadata', 'BlobType') }, 'warning', 'inventory.fields'],
    ['one that names no fields', { fields: [] }, 'unknown', 'inventory.fields'],
    ['one that was not finished', { status: 'PartiallySucceeded' }, 'wrong', 'inventory.report'],
    ['one of containers', { objectType: 'container' }, 'wrong', 'inventory.report'],
    ['one of two days ago', { start: NOW - 50 * HOUR }, 'warning', 'inventory.age'],
    ['one of last week', { start: NOW - 150 * HOUR }, 'wrong', 'inventory.age'],
    ['one of new blobs only', { filters: { ...FILTERS, createdInLastDays: 7 } }, 'warning', 'inventory.filters'],
    ['one of some blobs', { filters: { ...FILTERS, prefixMatch: ['a/'] } }, 'warning', 'inventory.filters'],
    ['one without append blobs', { filters: { ...FILTERS, blobTypes: ['blockBlob'] } }, 'warning', 'inventory.filters'],
  ])('names %s, and what mends it', (_, changed, outcome, check) => {
    const found = judge(changed);
    expect(found.map((finding) => [finding.outcome, finding.check])).toEqual([[outcome, check]]);
    if (outcome !== 'unknown') expect(found[0]?.mend).toContain('contoso');
  });

  it('names the fields that are not there, as Azure spells them', () => {
    expect(judge({ fields: ['Name'] })[0]?.says).toContain('ETag, Content-Length, Last-Modified');
  });

  it('that has not come is not known for two of its intervals, then wrong', () => {
    expect(judgeNoReport(PLACE, NOW - 30 * HOUR, NOW).outcome).toBe('unknown');
    expect(judgeNoReport(PLACE, NOW - 60 * HOUR, NOW).outcome).toBe('wrong');
  });
});
