import { createHash } from 'node:crypto';
import type { BlobServiceClient, ContainerClient } from '@azure/storage-blob';
import { isSystemContainer } from '../../../../namespace/key.ts';
import { type RunStatus, wholeSeconds } from '../events/inventory-event.ts';
import { ReportFile, type ReportFormat } from './report-file.ts';
import { REPORT_FIELDS, type ReportRow, reportRow } from './report-row.ts';

export interface InventoryRequest {
  readonly format: ReportFormat;
  /** The container that the report is written to; created where it is not there. */
  readonly container: string;
  readonly rule: string;
  /** The most rows of one data file. */
  readonly filesOf: number;
  /** What the manifest says in the end. */
  readonly status: RunStatus;
}

export interface InventoryParts {
  readonly account: BlobServiceClient;
  /** What the manifest names as the account's endpoint. */
  readonly endpoint: string;
  readonly now: () => number;
  readonly random: () => number;
  /** When true the run leaves its Pending manifest and ends. */
  readonly stopped: () => boolean;
}

export interface InventoryResult {
  /** `inventory/2026/11/21/10-00-00/isthmus/isthmus-manifest.json`: container and name. */
  readonly manifest: string;
  readonly status: RunStatus | 'Pending';
  readonly startedAt: Date;
}

/** Data files that are written side by side. Rows go to any of them, so none is in any order. */
const FILES_AT_ONCE = 3;
/** Rows that are shuffled together: one page of a listing. */
const PAGE = 1_000;
const SERVICE_FILE_ROWS = 1_000_000;

/**
 * Writes one report as the service does: the manifest first (`Pending`), then the data files, then the manifest
 * with its result, then the checksum. It is no snapshot: each blob is listed some time between start and end.
 */
export async function runInventory(
  request: InventoryRequest,
  at: Date,
  parts: InventoryParts,
): Promise<InventoryResult> {
  const started = new Date(parts.now());
  const destination = parts.account.getContainerClient(request.container);
  await destination.createIfNotExists();
  const folder = `${at.toISOString().slice(0, 10).replaceAll('-', '/')}/${at.toISOString().slice(11, 19).replaceAll(':', '-')}/${request.rule}/`;
  const manifestPath = `${folder}${request.rule}-manifest.json`;
  const manifest = `${request.container}/${manifestPath}`;
  const pending = {
    ...manifestHead({ ...request, fields: FIELDS, endpoint: parts.endpoint, started }),
    files: [],
    status: 'Pending',
  };
  await upload(destination, manifestPath, JSON.stringify(pending), 'application/json');
  if (parts.stopped()) return { manifest, status: 'Pending', startedAt: started };

  const report = new Report(request, folder, destination, parts.random);
  for await (const row of rowsOf(parts)) await report.write(row);
  const files = await report.close();
  if (parts.stopped()) return { manifest, status: 'Pending', startedAt: started };
  const text = JSON.stringify({
    ...manifestHead({ ...request, fields: FIELDS, endpoint: parts.endpoint, started }),
    files,
    inventoryCompletionTime: wholeSeconds(new Date(parts.now())),
    status: request.status,
    summary: { objectCount: report.objects, totalObjectSize: report.totalBytes },
  });
  await upload(destination, manifestPath, text, 'application/json');
  const checksum = createHash('md5').update(text).digest('hex').toUpperCase();
  await upload(destination, `${folder}${request.rule}-manifest.checksum`, checksum, 'text/plain');
  return { manifest, status: request.status, startedAt: started };
}

/** The data files of one report. */
class Report {
  readonly #request: InventoryRequest;
  readonly #folder: string;
  readonly #destination: ContainerClient;
  readonly #random: () => number;
  readonly #open: (ReportFile | undefined)[] = new Array(FILES_AT_ONCE).fill(undefined);
  readonly #closed: { readonly blob: string; readonly size: number }[] = [];
  #count = 0;
  objects = 0;
  totalBytes = 0;

  constructor(request: InventoryRequest, folder: string, destination: ContainerClient, random: () => number) {
    this.#request = request;
    this.#folder = folder;
    this.#destination = destination;
    this.#random = random;
  }

  async write(row: ReportRow): Promise<void> {
    const slot = Math.floor(this.#random() * FILES_AT_ONCE);
    let file = this.#open[slot];
    if (file === undefined) {
      file = this.#newFile();
      this.#open[slot] = file;
    }
    await file.write(row);
    this.objects += 1;
    this.totalBytes += Number(row['Content-Length'] ?? 0);
    if (file.rows < this.#request.filesOf) return;
    this.#open[slot] = undefined;
    await this.#close(file);
  }

  async close(): Promise<readonly { readonly blob: string; readonly size: number }[]> {
    if (this.#count === 0) this.#open[0] = this.#newFile();
    for (const file of this.#open) if (file !== undefined) await this.#close(file);
    return this.#closed;
  }

  #newFile(): ReportFile {
    const { rule, format } = this.#request;
    const path = `${this.#folder}${rule}_${SERVICE_FILE_ROWS}_${this.#count++}.${format}`;
    return new ReportFile(path, format, this.#destination.getBlockBlobClient(path));
  }

  async #close(file: ReportFile): Promise<void> {
    this.#closed.push({ blob: file.path, size: await file.close() });
  }
}

async function* rowsOf({ account, random }: InventoryParts): AsyncIterable<ReportRow> {
  for await (const { name: container } of account.listContainers()) {
    if (isSystemContainer(container)) continue;
    const listing = account.getContainerClient(container).listBlobsFlat({ includeMetadata: true });
    for await (const page of listing.byPage({ maxPageSize: PAGE })) {
      const rows = page.segment.blobItems.map((blob) => ({ row: reportRow(blob, container), place: random() }));
      for (const { row } of rows.sort((a, b) => a.place - b.place)) yield row;
    }
  }
}

const FIELDS = REPORT_FIELDS.map(({ name }) => name);

/** What a manifest says from its beginning on. */
export function manifestHead(
  of: Pick<InventoryRequest, 'container' | 'rule' | 'format'> & {
    readonly fields: readonly string[];
    readonly endpoint: string;
    readonly started: Date;
  },
) {
  const { container, rule, format, fields, endpoint, started } = of;
  return {
    destinationContainer: container,
    endpoint,
    inventoryStartTime: wholeSeconds(started),
    ruleDefinition: {
      filters: {
        blobTypes: ['blockBlob', 'appendBlob', 'pageBlob'],
        includeBlobVersions: false,
        includeSnapshots: false,
        prefixMatch: [],
      },
      format,
      objectType: 'blob',
      schedule: 'daily',
      schemaFields: fields,
    },
    ruleName: rule,
    version: '1.0',
  };
}

async function upload(container: ContainerClient, path: string, text: string, type: string): Promise<void> {
  const blob = container.getBlockBlobClient(path);
  await blob.upload(text, Buffer.byteLength(text), { blobHTTPHeaders: { blobContentType: type } });
}
