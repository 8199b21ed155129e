/**
 * The feed's place, shard by shard, and what was ever left out of it.
 *
 * **Two versions.** A page moves the version of its shard's row only, so that pages of different shards commit
 * beside each other; each holds the account's row in `feed_cursors` `FOR SHARE` and compares that version as well.
 * A new segment, a rewind and a skip move the account's version, which every page in flight then loses by.
 *
 * **Gaps and skips stay.** They are the only record that something of the feed was not read; there are few.
 */
export const feed: readonly string[] = [
  /* sql */ `
  create table feed_shards (
    account_id integer not null references feed_cursors on delete cascade,
    shard text collate "C" not null,
    chunk text not null,
    chunk_offset bigint not null,
    record_index integer not null,
    version integer not null,
    moved_at bigint not null,
    primary key (account_id, shard)
  )`,
  /* sql */ `
  insert into feed_shards (account_id, shard, chunk, chunk_offset, record_index, version, moved_at)
  select feed_cursors.account_id, shard.key, shard.value->>'chunk', (shard.value->>'offset')::bigint,
    (shard.value->>'index')::integer, 1, feed_cursors.moved_at
  from feed_cursors, jsonb_each(feed_cursors.cursor->'shards') as shard`,

  // Empty: forgotten, so that the feed is read from its beginning. The row stays for its version, which never falls.
  /* sql */ `alter table feed_cursors add column segment text`,
  /* sql */ `update feed_cursors set segment = coalesce(cursor->>'segment', '')`,
  /* sql */ `alter table feed_cursors alter column segment set not null, drop column cursor`,

  /* sql */ `
  create table feed_gaps (
    id integer generated always as identity primary key,
    account_id integer not null references accounts,
    missing text not null,
    detail jsonb,
    noted_at bigint not null,
    requested_at bigint,
    healed_at bigint,
    run_id integer references runs on delete set null
  )`,
  /* sql */ `create index feed_gaps_open on feed_gaps (account_id) where healed_at is null`,
  /* sql */ `
  create table feed_skips (
    id integer generated always as identity primary key,
    account_id integer not null references accounts,
    chunk text not null,
    from_offset bigint not null,
    to_offset bigint not null,
    reason text not null,
    skipped_at bigint not null
  )`,

  // Whether triggers and feed print the same sequencers: counted, and since when they are known not to.
  /* sql */ `alter table accounts add column triggers_distrusted_at bigint`,
  /* sql */ `
  create table trigger_trust (
    account_id integer primary key references accounts,
    first_applied bigint,
    agreed bigint not null default 0,
    mismatched bigint not null default 0,
    evidence jsonb,
    reread_wanted boolean not null default false,
    updated_at bigint not null
  )`,
];
