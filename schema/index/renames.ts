import { sql } from 'kysely';
import type { DirectoryRename } from '../../namespace/renames.ts';
import { KEEP_BYTES_MS } from '../ports/sink.ts';
import { serverNow } from './clock.ts';
import type { Queryable } from './database.ts';

/** No more are asked for: a job that renames thousands of directories must not slow every batch of stubs. */
const MOST = 1_000;
/** By then the stubs that the listing of both names asked for are written, where the sink keeps up. */
const AFTER_LISTED_MS = 3_600_000;

/**
 * Directories that were renamed, and of which it may not be known yet what is below their new name: the newest first,
 * of the last `KEEP_BYTES_MS`. A short walk over one index, whatever the account has.
 */
export async function recentRenames(on: Queryable, accountId: number): Promise<readonly DirectoryRename[]> {
  const { rows } = await sql<{
    readonly container: string;
    readonly name: string;
    readonly to_container: string | null;
    readonly to_name: string | null;
  }>`
    select c.name as container, s.head || s.tail as name, s.to_container, s.to_name
    from (
      select * from subtrees
      where account_id = ${accountId} and to_name is not null and event_time > ${serverNow} - ${KEEP_BYTES_MS}::bigint
      order by event_time desc limit ${MOST}
    ) as s join containers as c on c.account_id = s.account_id and c.id = s.container_id
    where s.listed_at is null or s.listed_at > ${serverNow} - ${AFTER_LISTED_MS}::bigint
    order by s.event_time desc`.execute(on);
  return rows.flatMap(({ container, name, to_container, to_name }) =>
    to_container === null || to_name === null
      ? []
      : [{ from: { container, name }, to: { container: to_container, name: to_name } }],
  );
}
