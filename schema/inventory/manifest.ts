import { z } from 'zod';
import type { Timestamp } from '../../namespace/entry.ts';
import { problemsOf } from '../expected.ts';
import { accountOfEndpoint } from '../federation/connection-string.ts';

/**
 * Where the run that writes a report stands. The manifest is made when the run starts, `Pending`; every
 * status but `Succeeded` means that something may be missing from the report.
 */
export type ReportStatus = 'Pending' | 'Succeeded' | 'PartiallySucceeded' | 'Failed';

/** What a rule leaves out of its reports, and so what a name's absence can mean. */
export interface ReportFilters {
  /** Plain prefixes of `container/name`; none means everything. */
  readonly prefixMatch: readonly string[];
  readonly excludePrefix: readonly string[];
  /** `blockBlob`, `appendBlob`, `pageBlob`, as the rule spells them. */
  readonly blobTypes: readonly string[];
  /** The report holds only blobs created in the last so many days. */
  readonly createdInLastDays: number | undefined;
}

export interface ReportFile {
  /** Inside the destination container. */
  readonly blob: string;
  /** Bytes; undefined where the manifest does not say. */
  readonly size: number | undefined;
}

/** A Blob Inventory manifest (Azure's documentation, `blob-inventory.md`, manifest version 1.0). */
export interface InventoryManifest {
  /** Whose report it is; undefined where its endpoint does not say. */
  readonly account: string | undefined;
  readonly status: ReportStatus;
  readonly rule: string;
  readonly objectType: 'blob' | 'container';
  readonly format: 'csv' | 'parquet';
  /** The columns, as the rule spells them; empty where the manifest does not say. */
  readonly fields: readonly string[];
  readonly filters: ReportFilters;
  readonly files: readonly ReportFile[];
  /** Each blob was read at some moment from `start` to `completion`. */
  readonly start: Timestamp;
  readonly completion: Timestamp | undefined;
  /** How many rows the files hold in all; undefined until the run is complete. */
  readonly objectCount: number | undefined;
}

const STATUSES: readonly ReportStatus[] = ['Pending', 'Succeeded', 'PartiallySucceeded', 'Failed'];

const instant = z
  .string()
  .transform((text) => Date.parse(text))
  .refine((time) => Number.isFinite(time), 'expected a time such as 2021-05-26T13:25:36Z');
const count = z.int().nonnegative();
/** Any case: policies are written `Csv` and `Blob`, manifests `csv` and `blob`. */
const word = <const T extends readonly string[]>(words: T) =>
  z.string().transform((text, context): T[number] => {
    const found = words.find((each) => each.toLowerCase() === text.toLowerCase());
    if (found !== undefined) return found;
    context.addIssue(`expected one of ${words.join(', ')}, found ${JSON.stringify(text)}`);
    return z.NEVER;
  });

const manifestSchema = z.object({
  endpoint: z.string().nullish(),
  status: word(STATUSES),
  ruleName: z.string(),
  inventoryStartTime: instant,
  inventoryCompletionTime: instant.nullish(),
  files: z.array(z.object({ blob: z.string().min(1), size: count.nullish() })).nullish(),
  summary: z.object({ objectCount: count.nullish() }).nullish(),
  ruleDefinition: z.object({
    format: word(['csv', 'parquet']),
    objectType: word(['blob', 'container']),
    schemaFields: z.array(z.string()).nullish(),
    filters: z
      .object({
        prefixMatch: z.array(z.string()).nullish(),
        excludePrefix: z.array(z.string()).nullish(),
        blobTypes: z.array(z.string()).nullish(),
        creationTime: z.object({ lastNDays: count.nullish() }).nullish(),
      })
      .nullish(),
  }),
});

/**
 * Reads a manifest.
 *
 * @throws Error with the field and what was expected where the text is no manifest: nothing may then be
 * concluded from its report.
 */
export function parseManifest(text: string): InventoryManifest {
  const value = readJson(text);
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) {
    const [problem = ''] = problemsOf(parsed.error, value);
    throw new Error(`no inventory manifest: ${problem}`);
  }
  const { data } = parsed;
  const filters = data.ruleDefinition.filters;
  return {
    account: accountOfEndpoint(data.endpoint ?? ''),
    status: data.status,
    rule: data.ruleName,
    objectType: data.ruleDefinition.objectType,
    format: data.ruleDefinition.format,
    fields: data.ruleDefinition.schemaFields ?? [],
    filters: {
      prefixMatch: filters?.prefixMatch ?? [],
      excludePrefix: filters?.excludePrefix ?? [],
      blobTypes: filters?.blobTypes ?? [],
      createdInLastDays: filters?.creationTime == null ? undefined : (filters.creationTime.lastNDays ?? 0),
    },
    files: (data.files ?? []).map((file) => ({ blob: file.blob, size: file.size ?? undefined })),
    start: data.inventoryStartTime,
    completion: data.inventoryCompletionTime ?? undefined,
    objectCount: data.summary?.objectCount ?? undefined,
  };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`no inventory manifest: not JSON (${error instanceof Error ? error.message : String(error)})`);
  }
}
