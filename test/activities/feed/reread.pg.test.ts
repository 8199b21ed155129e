import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { rereadWhereDistrusted } from '../../../activities/feed/reread.ts';
import { readCursor, setCursor } from '../../../schema/index/feed-cursors.ts';
import { transact } from '../../../schema/index/transact.ts';
import { readTriggerTrust } from '../../../schema/index/trigger-trust.ts';
import { testIndex } from '../../support/postgres.ts';
import { testServices } from '../test-services.ts';
import { knownFeed } from './feed-of.ts';

describe('a feed that is to be read again, as triggers are distrusted', () => {
  it('1: is left where it is by a tail that has not come as far as the first trigger', async () => {
    await using db = await testIndex();
    const feed = knownFeed();
    const services = await testServices(db.index, { feed });
    const { id } = services.account;
    const place = { [feed.shard(0)]: { chunk: `${feed.shard(0)}00000.avro`, offset: 0, index: 0 } };
    await transact(db.index, (tx) => setCursor(tx, id, { segment: feed.manifest(0), shards: place }));
    await sql`update accounts set triggers_distrusted_at = 1 where id = ${id}`.execute(db.index.db);
    const firstApplied = Date.UTC(2026, 0, 1, 1, 30);
    await sql`
      insert into trigger_trust (account_id, first_applied, mismatched, reread_wanted, updated_at)
      values (${id}, ${firstApplied}, 1, true, 1)`.execute(db.index.db);
    const before = await readCursor(db.index.db, id);
    await rereadWhereDistrusted(services, new AbortController().signal);
    expect(await readCursor(db.index.db, id)).toEqual(before);
    expect(await readTriggerTrust(db.index.db, id)).toMatchObject({ rereadWanted: false });
  });
});
