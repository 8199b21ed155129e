import { sql } from 'kysely';
import type { Difference, FindingState } from '../drift/cause.ts';
import type { Queryable } from './database.ts';

export interface PlannedName {
  readonly container: string;
  readonly name: string;
  /** Bytes, as far as the judge or the index knows them. */
  readonly length: number | undefined;
  readonly state: FindingState;
}

/** Findings of one directory, the first level below a container, or of the names right in a container. */
export interface PlannedPrefix {
  /** A plain prefix of `container/name`. */
  readonly prefix: string;
  readonly names: number;
  /** Those of the longest blobs first. */
  readonly examples: readonly PlannedName[];
}

interface Row {
  readonly prefix: string;
  readonly names: number;
  readonly container: string;
  readonly name: string;
  readonly state: string;
  readonly length: number | null;
}

const OF_FINDING =
  sql.raw(`f.container || '/' || case when strpos(f.name, '/') > 0 then split_part(f.name, '/', 1) || '/' else '' end
      as prefix, f.container, f.name, f.state,
    coalesce((f.detail #>> '{judge,length}')::bigint, (f.detail #>> '{index,length}')::bigint) as length`);

/** The directories with the most findings of these differences, the largest first; the server does the sums. */
export async function plannedPrefixes(
  on: Queryable,
  runId: number,
  of: { readonly differences: readonly Difference[]; readonly prefixes: number; readonly examples: number },
): Promise<readonly PlannedPrefix[]> {
  const found = sql`
    select ${OF_FINDING} from drift_findings f
    where f.run_id = ${runId} and f.difference = any(${of.differences}::text[])`;
  const { rows } = await sql<Row>`
    select * from (
      select l.names, f.*, row_number() over (partition by f.prefix order by f.length desc nulls last, f.container, f.name) as place
      from (${found}) as f
      join (
        select prefix, count(*) as names from (${found}) as f
        group by prefix order by names desc, prefix limit ${of.prefixes}
      ) as l using (prefix)
    ) as ranked
    where place <= ${of.examples} order by names desc, prefix, place`.execute(on);
  const largest = new Map<string, PlannedPrefix & { readonly examples: PlannedName[] }>();
  for (const { prefix, names, container, name, state, length } of rows) {
    const one = largest.get(prefix) ?? { prefix, names, examples: [] };
    one.examples.push({ container, name, state: state as FindingState, length: length ?? undefined });
    largest.set(prefix, one);
  }
  return [...largest.values()];
}
