import { sql } from 'kysely';
import { epochAt } from '../../namespace/epoch.ts';
import { ensureContainers, noteEpochs } from '../../schema/index/containers.ts';
import { finishRun, startRun } from '../../schema/index/runs.ts';
import { ensureSinks } from '../../schema/index/sinks.ts';
import { upsertSource } from '../../schema/index/sources.ts';
import { transact } from '../../schema/index/transact.ts';
import { type BenchPlaces, benchServices } from '../bench-services.ts';
import {
  CONTAINERS,
  CONTENT_TYPE,
  COOL,
  FIRST_DAY,
  type Lake,
  MODIFIED_FROM,
  MODIFIED_SECONDS,
  NEWER_MS,
  PLANTS,
  type Plant,
  SHARDS,
  TAGGED,
} from './lake.ts';

const PIECE = 500_000;
const AT_ONCE = 2;

/**
 * Fills the index with what the feed told of the lake, and an earlier judge of the attributes that events do not carry:
 * each row as `versionOf` has it, but for what is planted. The feed is read to the present.
 */
export async function seedIndex(places: BenchPlaces, lake: Lake, signal: AbortSignal): Promise<void> {
  const { account, clock, index } = await benchServices(places);
  try {
    const epoch = epochAt(FIRST_DAY);
    const { containers, sink } = await transact(index, async (tx) => {
      const ids = await ensureContainers(tx, account.id, CONTAINERS);
      await noteEpochs(tx, account.id, new Map(CONTAINERS.map((name) => [name, epoch])));
      const sinks = await ensureSinks(tx, account.id, ['vast']);
      const now = clock.now();
      // Names of which nobody has told since the rules came are drift of another cause.
      const runId = await startRun(tx, account.id, { judge: 'listing', prefix: '' });
      await finishRun(tx, runId, { outcome: 'complete' });
      await upsertSource(tx, { accountId: account.id, source: 'feed', state: 'tailing', head: now, applied: now });
      return { containers: CONTAINERS.map((name) => ids.get(name)?.id ?? 0), sink: sinks.get('vast') };
    });
    const is = (plant: Plant) => sql`coalesce(plant = ${PLANTS.indexOf(plant)}, false)`;
    const fill = (from: number, to: number) => sql`
      insert into entries (account_id, container_id, head, live, etag, length, last_modified, blob_type, content_type, md5,
        tier, metadata, sequencer, epoch, seen, revision, source, event_id, event_time, rule_revision, changed_at, sink_id,
        stub_revision, stub_state)
      select ${account.id}::int, (${containers}::int[])[(n / ${SHARDS} % ${CONTAINERS.length} + 1)::int],
        to_char(to_timestamp(${FIRST_DAY / 1_000}) at time zone 'UTC' + n / ${SHARDS * CONTAINERS.length} * interval '1 day', 'YYYY/MM/DD')
          || '/shard-' || lpad((n % ${SHARDS})::text, 6, '0') || '-of-004096.tar',
        true, '0x8D' || case when newer then 'E' else 'D' end || upper(lpad(to_hex(mixed), 8, '0') || lpad(to_hex(n * 40503 & 65535), 4, '0')),
        1000000 + mixed % 100000000 + newer::int, at, case when ${is('grown')} then 'AppendBlob' else 'BlockBlob' end::blob_type,
        ${CONTENT_TYPE}, encode(decode(md5(n || case when newer then '-2' else '' end), 'hex'), 'base64'),
        case when n % ${COOL} = 0 then 'Cool' else 'Hot' end,
        case when ${is('metadata')} then null when n % ${TAGGED} = 0 then jsonb_build_object('owner', 'team-' || n % 40)
          else '{}'::jsonb end,
        decode(lpad(to_hex(n + 1), 48, '0'), 'hex'), decode(${epoch}, 'hex'), at, 1, 'feed',
        '831e1650-001e-001b-66ab-' || lpad(to_hex(n), 12, '0'), at, 1, at, ${sink}::int, 1, 'stub'
      from (
        select n, plant, newer, mixed, case when newer then ${lake.from + NEWER_MS}::bigint
          else ${MODIFIED_FROM}::bigint + mixed % ${MODIFIED_SECONDS} * 1000 end as at
        from (
          select n, plant, n * 2654435761 & 4294967295 as mixed, ${is('newer')} as newer
          from (
            select n, case when ${lake.every} > 0 and n % nullif(${lake.every}, 0) = ${lake.every >> 1}
              then n / nullif(${lake.every}, 0) % ${PLANTS.length} end as plant
            from generate_series(${from}::bigint, ${to - 1}::bigint) as n
          ) as numbered
        ) as planted
        where not ${is('new')}
      ) as dated`;
    let next = 0;
    const lane = async () => {
      while (next < lake.rows) {
        signal.throwIfAborted();
        const from = next;
        next = Math.min(lake.rows, from + PIECE);
        await fill(from, next).execute(index.db);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    signal.throwIfAborted();
    await sql`vacuum analyze entries`.execute(index.db);
    await sql`checkpoint`.execute(index.db);
  } finally {
    await index.close();
  }
}
