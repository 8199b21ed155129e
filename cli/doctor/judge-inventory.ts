import type { ReportFilters } from '../../schema/inventory/manifest.ts';
import { columnOf } from '../../schema/inventory/row.ts';
import { formatSeconds, formatTime } from '../format.ts';
import { type Finding, good, unknown, warning, wrong } from './finding.ts';

const HOUR = 3_600_000;

/** Where reports come to, by what the account and the federation file say. */
export interface InventoryPlace {
  readonly account: string;
  readonly container: string;
  readonly everyHours: number;
}

/** What of the newest manifest a reconcile rests on. */
export interface NewestReport {
  readonly manifest: string;
  readonly rule: string;
  readonly status: string;
  readonly objectType: 'blob' | 'container';
  readonly start: number;
  readonly fields: readonly string[];
  readonly filters: ReportFilters;
}

export function judgeNoReport(
  { account, container, everyHours }: InventoryPlace,
  madeAt: number,
  now: number,
): Finding {
  const check = 'inventory.report';
  const waited = now - madeAt;
  const mend = `az storage account blob-inventory-policy show --account-name ${account} (portal: Data management, Blob inventory)`;
  if (waited < 2 * everyHours * HOUR) return unknown(check, `no report has come to ${container} yet`, mend);
  return wrong(
    check,
    `no report is in ${container}, which is ${formatSeconds(waited / 1000)} old, and one is expected every ${everyHours} h`,
    `See that a rule is enabled and writes there: ${mend}`,
  );
}

/** @param latest the newest report that its run has ended, whatever came of it. */
export function judgeReport(place: InventoryPlace, latest: NewestReport, now: number): readonly Finding[] {
  return [
    judgeOutcome(place, latest),
    judgeAge(place, latest, now),
    judgeFields(place, latest),
    judgeFilters(place, latest),
  ];
}

function judgeOutcome({ account }: InventoryPlace, { manifest, rule, status, objectType }: NewestReport): Finding {
  const check = 'inventory.report';
  if (objectType === 'container') {
    return wrong(
      check,
      `rule ${rule} lists containers, and blobs are wanted (${manifest})`,
      `Make a rule of object type Blob, and name it as sources.inventory.rule: ${policyOf(account)}`,
    );
  }
  if (status === 'Succeeded') return good(check, `the newest report is ${manifest}`);
  return wrong(
    check,
    `the newest run of rule ${rule} ended as ${status}: nothing is concluded from ${manifest}`,
    `See the run's message in the event BlobInventoryPolicyCompleted, and the rule: ${policyOf(account)}`,
  );
}

function judgeAge({ account, everyHours }: InventoryPlace, { rule, start }: NewestReport, now: number): Finding {
  const check = 'inventory.age';
  const age = now - start;
  const found = `the newest report of rule ${rule} began at ${formatTime(start)}, ${formatSeconds(Math.max(0, age) / 1000)} ago`;
  if (age < 2 * everyHours * HOUR) return good(check, found);
  const mend = `See that the rule is enabled and its schedule is daily: ${policyOf(account)}; or set sources.inventory.everyHours (a weekly rule: 168).`;
  const says = `${found}; one is expected every ${everyHours} h`;
  // A run of a large account may take six days.
  return age < 4 * everyHours * HOUR ? warning(check, says, mend) : wrong(check, says, mend);
}

/** Without these a reconcile would have to look at every blob by itself. */
const NEEDED = ['Name', 'ETag', 'Content-Length', 'Last-Modified'] as const;
/** Without these entries lack what no event carries, until a look. */
const WANTED = ['BlobType', 'Content-Type', 'Content-MD5', 'AccessTier', 'Metadata'] as const;

function judgeFields({ account }: InventoryPlace, { rule, fields }: NewestReport): Finding {
  const check = 'inventory.fields';
  if (fields.length === 0) return unknown(check, `the manifest of rule ${rule} does not name its fields`);
  const has = new Set(fields.map(columnOf));
  const lacks = (names: readonly string[]) => names.filter((name) => !has.has(columnOf(name)));
  const mend = (names: readonly string[]) =>
    `Add ${names.join(', ')} to the rule's schemaFields (portal: Blob inventory, the rule, Blob inventory fields): ${policyOf(account)}`;
  const needed = lacks(NEEDED);
  if (needed.length > 0) {
    return wrong(
      check,
      `rule ${rule} does not report ${needed.join(', ')}, without which every blob must be looked at by itself`,
      mend(needed),
    );
  }
  const wanted = lacks(WANTED);
  if (wanted.length > 0) {
    return warning(
      check,
      `rule ${rule} does not report ${wanted.join(', ')}, which entries then lack until a look`,
      mend(wanted),
    );
  }
  return good(check, `rule ${rule} reports the fields that a reconcile needs`);
}

const BLOB_TYPES = ['blockBlob', 'appendBlob', 'pageBlob'];

/** What a rule leaves out is not judged: legitimate, and to be known. */
function judgeFilters({ account }: InventoryPlace, { rule, filters }: NewestReport): Finding {
  const check = 'inventory.filters';
  const left: string[] = [];
  const types = filters.blobTypes.map((type) => type.toLowerCase());
  const without = BLOB_TYPES.filter((type) => types.length > 0 && !types.includes(type.toLowerCase()));
  // Most accounts have no page blobs, and those with a hierarchical namespace cannot.
  if (without.some((type) => type !== 'pageBlob')) left.push(`blobs of type ${without.join(', ')}`);
  if (filters.createdInLastDays !== undefined) left.push(`blobs older than ${filters.createdInLastDays} days`);
  if (filters.prefixMatch.length > 0) left.push(`what does not begin with ${filters.prefixMatch.join(', ')}`);
  if (filters.excludePrefix.length > 0) left.push(`what begins with ${filters.excludePrefix.join(', ')}`);
  if (left.length === 0) return good(check, `rule ${rule} leaves nothing out`);
  return warning(
    check,
    `rule ${rule} leaves out ${left.join('; ')}: no inventory judges these names`,
    `Where the rules of the federation hold for them, widen the rule's filters (portal: Blob inventory, the rule): ${policyOf(account)}`,
  );
}

function policyOf(account: string): string {
  return `az storage account blob-inventory-policy show --account-name ${account}`;
}
