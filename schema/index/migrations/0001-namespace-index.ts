/**
 * The namespace index.
 *
 * **The key of an entry.** A name has up to 1,024 characters, so up to 3,072 bytes of UTF-8 (4,096 where a
 * character is a code point outside the basic plane), and a B-tree row holds 2,704. So a name is cut after its
 * first 512 code points, at most 2,048 bytes: `head` is what stands before the cut, `tail` what follows, and
 * `tail_hash` is empty for an empty tail, else its SHA-256. The primary key (account, container, head,
 * tail_hash) is at most about 2,100 bytes, and for nearly every name the key is the name itself: prefix ranges
 * and key order are index scans on `head`. Ordering by head and then by tail is UTF-8 order of the whole: two
 * heads differ only where the names do, and a head shorter than 512 code points is the whole name.
 *
 * **Collation.** Names are `COLLATE "C"`: compared as bytes, which is key order, and which lets a prefix be a
 * range. Any other collation orders differently from Azure's listings and makes prefix queries scan.
 *
 * **Partitions.** Hash of (account, container, head) in 16: hundreds of millions of names under one flat
 * prefix spread evenly, vacuum works on parts, and each B-tree is lower by a level. Hash partitioning costs an
 * upsert nothing (112,000 rows/s with and without, pages of 5,000, two cores); a listing merges 16 ordered
 * scans. The account leads every key, so that a distributed Postgres can shard by it.
 *
 * **The stub task is the entry.** A second table of tasks costs a fifth of the apply rate (47,000 rows/s instead of
 * 56,000). `stub_due` says that the stub is behind; `stub_at` is when it may be claimed (a lease, or the end
 * of a pause after a failure, moves it into the future), so that claims never step over rows that wait. A change
 * makes a claimed row due at once, but `stub_leased_until` holds it back while its writer writes. The
 * partial index is narrow and holds due rows only.
 *
 * **What a page holds.** Every page holds its account's row `FOR SHARE`: the live rule revision and the horizon
 * are in it, so neither a rule change nor a purge of tombstones can pass between a page's reading and its commit.
 *
 * **Marker rows.** Revision 0 is a row that a transaction made to hold a key's place in lock order; it is gone
 * or filled before the transaction ends, so that no other one ever sees it.
 */
const PARTITIONS = 16;

const partitions = Array.from(
  { length: PARTITIONS },
  (_, remainder) => /* sql */ `
    create table entries_${String(remainder).padStart(2, '0')} partition of entries
    for values with (modulus ${PARTITIONS}, remainder ${remainder})
    with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.1)`,
);

export const namespaceIndex: readonly string[] = [
  /* sql */ `create type blob_type as enum ('BlockBlob', 'AppendBlob', 'PageBlob')`,
  /* sql */ `create type change_source as enum ('trigger', 'feed', 'replay', 'look', 'listing', 'sweep')`,
  /* sql */ `create type stub_state as enum
    ('none', 'stub', 'hydrated', 'shadowed', 'unrepresentable', 'conflict', 'failed')`,

  /* sql */ `
  create table accounts (
    id integer generated always as identity primary key,
    name text collate "C" not null unique,
    horizon bigint,
    margin bigint not null default 20000 check (margin >= 0),
    rule_revision integer
  )`,

  /* sql */ `
  create table sinks (
    id smallint generated always as identity primary key,
    account_id integer not null references accounts,
    name text collate "C" not null,
    unique (account_id, name)
  )`,

  // Epochs are 8 bytes, big-endian, so that byte order is time order.
  /* sql */ `
  create table containers (
    account_id integer not null references accounts,
    id integer generated always as identity,
    name text collate "C" not null,
    newest_epoch bytea check (length(newest_epoch) = 8),
    gone_at bigint,
    sweep_due boolean not null default false,
    sweep_at bigint not null default 0,
    sweep_round bigint not null default 0,
    sweep_head text collate "C" not null default '',
    sweep_tail text collate "C" not null default '',
    primary key (account_id, id),
    unique (account_id, name)
  )`,
  /* sql */ `create index containers_sweep_due on containers (account_id, sweep_at) where sweep_due`,

  // Fixed-width columns first: no padding between them.
  /* sql */ `
  create table entries (
    length bigint,
    last_modified bigint,
    seen bigint not null,
    look bigint,
    revision bigint not null,
    event_time bigint not null,
    changed_at bigint not null,
    stub_at bigint not null default 0,
    stub_leased_until bigint not null default 0,
    stub_revision bigint not null default 0,
    account_id integer not null,
    container_id integer not null,
    rule_revision integer not null,
    blob_type blob_type,
    source change_source not null,
    stub_state stub_state not null default 'none',
    sink_id smallint,
    stub_tries smallint not null default 0,
    live boolean not null,
    look_due boolean not null default false,
    stub_due boolean not null default false,
    head text collate "C" not null,
    tail text collate "C" not null default '',
    tail_hash bytea not null default '',
    sequencer bytea check (length(sequencer) = 24),
    epoch bytea check (length(epoch) = 8),
    event_id text not null,
    etag text,
    content_type text,
    md5 text,
    tier text,
    stub_etag text,
    stub_detail text,
    metadata jsonb,
    primary key (account_id, container_id, head, tail_hash)
  ) partition by hash (account_id, container_id, head)`,
  ...partitions,
  /* sql */ `create index entries_stub_due on entries (account_id, sink_id, stub_at) where stub_due`,
  /* sql */ `create index entries_tombstones on entries (account_id, changed_at) where not live`,

  /* sql */ `
  create table looks (
    account_id integer not null,
    container_id integer not null,
    head text collate "C" not null,
    tail text collate "C" not null,
    tail_hash bytea not null,
    reason text not null,
    queued_at bigint not null,
    due_at bigint not null,
    attempts integer not null default 0,
    error text,
    primary key (account_id, container_id, head, tail_hash)
  )`,
  /* sql */ `create index looks_due on looks (account_id, due_at)`,

  /* sql */ `
  create table authority_revisions (
    account_id integer not null references accounts,
    revision integer not null,
    rules jsonb not null,
    note text not null,
    published_at bigint not null,
    primary key (account_id, revision)
  )`,
  /* sql */ `
  create table feed_cursors (
    account_id integer primary key references accounts,
    version integer not null,
    cursor jsonb not null,
    moved_at bigint not null
  )`,

  /* sql */ `
  create table sources (
    account_id integer not null references accounts,
    source text not null,
    head bigint,
    applied bigint,
    state text not null,
    reason text,
    detail jsonb,
    updated_at bigint not null,
    primary key (account_id, source)
  )`,

  /* sql */ `
  create table violations (
    id bigint generated always as identity primary key,
    account_id integer not null references accounts,
    container text collate "C" not null,
    name text collate "C" not null,
    reason text not null,
    source change_source not null,
    event_id text not null,
    api text not null,
    event_time bigint not null,
    change_etag text,
    change_length bigint,
    entry_etag text,
    entry_length bigint,
    entry_revision bigint,
    rule_revision integer not null,
    noted_at bigint not null,
    unique (account_id, source, event_id)
  )`,
  /* sql */ `create index violations_noted on violations (account_id, noted_at)`,

  /* sql */ `
  create table journal (
    id bigint generated always as identity primary key,
    account_id integer not null references accounts,
    kind text not null,
    container text,
    name text,
    detail jsonb,
    noted_at bigint not null
  )`,
  /* sql */ `create index journal_noted on journal (account_id, noted_at)`,

  /* sql */ `
  create table hydrations (
    account_id integer not null references accounts,
    request_id text not null,
    prefix text not null,
    state text not null,
    files bigint not null default 0,
    already bigint not null default 0,
    bytes bigint not null default 0,
    failed bigint not null default 0,
    started_at bigint not null,
    ended_at bigint,
    primary key (account_id, request_id)
  )`,

  /* sql */ `
  create table runs (
    id integer generated always as identity primary key,
    account_id integer not null references accounts,
    judge text not null,
    prefix text collate "C" not null,
    manifest text,
    outcome text,
    reason text,
    started_at bigint not null,
    ended_at bigint,
    state jsonb not null default '{}',
    counts jsonb not null default '{}'
  )`,
  /* sql */ `create index runs_recent on runs (account_id, id desc)`,
  /* sql */ `
  create table drift_findings (
    id bigint generated always as identity primary key,
    run_id integer not null references runs on delete cascade,
    container text collate "C" not null,
    name text collate "C" not null,
    cause text not null,
    detail jsonb
  )`,
  /* sql */ `create index drift_findings_run on drift_findings (run_id)`,
];
