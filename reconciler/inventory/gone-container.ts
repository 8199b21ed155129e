import { sql } from 'kysely';
import { isSystemContainer, type Key } from '../../namespace/key.ts';
import { IsthmusError, messageOf } from '../../schema/errors.ts';
import { type ContainerRow as KnownContainer, listContainers } from '../../schema/index/containers.ts';
import { isDeadSql, lives } from '../../schema/index/lives.ts';
import { readCsv } from '../../schema/inventory/csv-rows.ts';
import { readParquet } from '../../schema/inventory/parquet-rows.ts';
import { type ContainerRow, readContainerRow } from '../../schema/inventory/row.ts';
import type { BlobSource } from '../../schema/ports/blob-source.ts';
import type { Judging } from '../judging.ts';
import { containerGoneAt } from '../listing/list-container.ts';
import type { TrustedReport } from './open-report.ts';
import { readRanges } from './read-ranges.ts';

/**
 * The first container that has live names in the index, that a report of containers lists as deleted or does not list,
 * and that says itself that it is gone: the report alone concludes nothing. What it tells of one that is there (its
 * Last-Modified is no time of creation) concludes nothing either.
 *
 * @returns undefined where there is none, or where the report cannot be believed, which is logged.
 */
export async function goneContainer(
  judging: Judging,
  report: TrustedReport,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { container } = judging.federation.sources.inventory ?? {};
  if (container === undefined) return undefined;
  const there = await containersOf(judging.blobs, container, report, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    judging.log.warn({ rule: report.rule }, `A report of containers cannot be read: ${messageOf(error)}`);
  });
  if (there === undefined) return undefined;
  for (const each of await listContainers(judging.index.db, judging.account.id)) {
    const { name } = each;
    if (there.has(name) || isSystemContainer(name) || !lets(report, name)) continue;
    if (!(await hasLive(judging, each))) continue;
    if ((await containerGoneAt(judging.blobs, name, signal)) !== undefined) return name;
  }
  return undefined;
}

/** Whether the index has a live name in it that is of no incarnation before. */
async function hasLive({ index, account }: Judging, container: KnownContainer): Promise<boolean> {
  const { rows } = await sql`
    select from entries e cross join ${lives([container])}
    where e.account_id = ${account.id} and e.container_id = ${container.id} and e.live and not ${isDeadSql}
    limit 1`.execute(index.db);
  return rows.length > 0;
}

/** The rule's own filters are of the containers' names. */
function lets({ filters: { prefixMatch, excludePrefix } }: TrustedReport, name: string): boolean {
  const included = prefixMatch.length === 0 || prefixMatch.some((prefix) => name.startsWith(prefix));
  return included && !excludePrefix.some((prefix) => name.startsWith(prefix));
}

/** Containers that the report lists as they are, not as deleted. @throws where it is not what its manifest says. */
async function containersOf(
  blobs: BlobSource,
  container: string,
  { files, format, objectCount }: TrustedReport,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const there = new Set<string>();
  let rows = 0;
  for (const { blob, size } of files) {
    for await (const page of readFile(blobs, { container, name: blob }, { format, size }, signal)) {
      rows += page.length;
      for (const row of page) if (!row.deleted) there.add(row.container);
    }
  }
  if (rows === objectCount) return there;
  throw new IsthmusError('ISTHMUS_REPORT_REJECTED', `its files hold ${rows} rows, its manifest counts ${objectCount}`);
}

async function* readFile(
  blobs: BlobSource,
  key: Key,
  file: { readonly format: 'csv' | 'parquet'; readonly size: number | undefined },
  signal: AbortSignal,
): AsyncGenerator<readonly ContainerRow[]> {
  const found = await blobs.look(key, signal);
  if (found.kind !== 'found') throw new IsthmusError('ISTHMUS_REPORT_REJECTED', `its file ${key.name} is missing`);
  const { etag, length } = found.attributes;
  if (file.size !== undefined && file.size !== length) {
    throw new IsthmusError('ISTHMUS_REPORT_REJECTED', `its file ${key.name} has ${length} bytes, not ${file.size}`);
  }
  const read = async (offset: number, count: number): Promise<Uint8Array> => {
    const pieces: Uint8Array[] = [];
    for await (const piece of readRanges(blobs, key, { etag, offset, length: count }, signal)) pieces.push(piece);
    return Buffer.concat(pieces);
  };
  if (file.format === 'parquet') yield* readParquet(length, read, readContainerRow);
  else yield* readCsv(readRanges(blobs, key, { etag, offset: 0, length }, signal), readContainerRow);
}
