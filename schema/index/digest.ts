import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { listContainers } from './containers.ts';
import type { Index, Tx } from './database.ts';
import { isDeadSql, lives } from './lives.ts';
import { inPrefix, prefixScope } from './name-range.ts';

export interface Digest {
  readonly entries: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** Rows held at a time. */
const CHUNK = 10_000;

/**
 * SHA-256 over the live entries under a plain prefix, in key order: for each the text `container/name`, a NUL,
 * the ETag without quotes, a NUL, the length in decimal, a newline. One snapshot; memory does not grow with the
 * number of entries.
 */
export function digestEntries(index: Index, accountId: number, prefix: string): Promise<Digest> {
  return index.db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => {
      const hash = createHash('sha256');
      let entries = 0;
      let bytes = 0;
      for await (const chunk of liveChunks(tx, accountId, prefix)) {
        let text = '';
        for (const { container, name, etag, length } of chunk) {
          text += `${container}/${name}\0${etag}\0${length}\n`;
          bytes += length;
        }
        entries += chunk.length;
        hash.update(text);
      }
      return { entries, bytes, sha256: hash.digest('hex') };
    });
}

interface LiveRow {
  readonly container: string;
  readonly name: string;
  readonly etag: string;
  readonly length: number;
}

/** Live entries in key order, by a cursor for each container. */
async function* liveChunks(tx: Tx, accountId: number, prefix: string): AsyncGenerator<readonly LiveRow[]> {
  const scope = prefixScope(prefix, await listContainers(tx, accountId));
  for (const container of scope.containers) {
    await sql`
      declare digest no scroll cursor for
      select e.head || e.tail as name, e.etag, e.length
      from entries as e, ${lives([container])}
      where e.account_id = ${accountId} and e.container_id = ${container.id} and e.live and not ${isDeadSql}
        and ${inPrefix(scope.name)}
      order by e.head, e.tail`.execute(tx);
    for (;;) {
      const { rows } = await sql<Omit<LiveRow, 'container'>>`fetch ${sql.raw(String(CHUNK))} from digest`.execute(tx);
      if (rows.length > 0) yield rows.map((row) => ({ ...row, container: container.name }));
      if (rows.length < CHUNK) break;
    }
    await sql`close digest`.execute(tx);
  }
}
