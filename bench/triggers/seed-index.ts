import { sql } from 'kysely';
import { connectionStringOn } from '../../infra/local/storage/account.ts';
import { ensureContainers } from '../../schema/index/containers.ts';
import { ensureSinks } from '../../schema/index/sinks.ts';
import { transact } from '../../schema/index/transact.ts';
import { benchServices } from '../bench-services.ts';
import { CONTAINER, NAME_SQL, seeded } from './events.ts';

/** Fills the index with the names that are there before the first event, their stubs made already. */
export async function seedIndex(url: string, keys: number): Promise<void> {
  const { account, index } = await benchServices({ url, connectionString: connectionStringOn(1) });
  try {
    await transact(index, async (tx) => {
      const sink = (await ensureSinks(tx, account.id, ['vast'])).get('vast');
      const containerId = (await ensureContainers(tx, account.id, [CONTAINER])).get(CONTAINER)?.id;
      await sql`
        insert into entries (account_id, container_id, head, live, etag, length, blob_type, content_type, sequencer, seen,
          revision, source, event_id, event_time, rule_revision, changed_at, sink_id, stub_revision, stub_state)
        select ${account.id}, ${containerId}, ${sql.raw(NAME_SQL)}, true, '0x8D4BCC2E4' || n, n, 'BlockBlob',
          'application/octet-stream', decode(lpad('1', 48, '0'), 'hex'), t.at, 1, 'trigger', 'seed-' || n, t.at, 1, t.at,
          ${sink}, 1, 'stub'
        from generate_series(0, ${seeded(keys) - 1}) as n,
          (select (extract(epoch from now()) * 1000)::bigint - 600000 as at) as t`.execute(tx);
    });
    await sql`vacuum analyze entries`.execute(index.db);
    await sql`checkpoint`.execute(index.db);
  } finally {
    await index.close();
  }
}
