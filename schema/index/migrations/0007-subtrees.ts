/**
 * Directories of accounts with a hierarchical namespace that were deleted or renamed: one event for a whole subtree.
 *
 * **A row is work and memory.** First the entries below `head || tail` (cut as every name is) are gone through in key
 * order from `after`, then the directory and the one that it became are listed: `listed_at` ends the work. Until the
 * horizon has passed `event_time`, the row says of what is told late of a name below that it was before the directory
 * went.
 *
 * **`claim` moves with every claim**, so that of two workers only the one that claimed last goes on.
 */
export const subtrees: readonly string[] = [
  /* sql */ `
  create table subtrees (
    id bigint generated always as identity primary key,
    account_id integer not null references accounts,
    event_time bigint not null,
    noted_at bigint not null,
    due_at bigint not null,
    worked_at bigint,
    requested_at bigint,
    listed_at bigint,
    gone bigint not null default 0,
    looks bigint not null default 0,
    refused bigint not null default 0,
    container_id integer not null,
    claim integer not null default 0,
    after_run integer,
    recursive boolean not null,
    head text collate "C" not null,
    tail text collate "C" not null,
    tail_hash bytea not null,
    after text collate "C" not null default '',
    to_container text collate "C",
    to_name text collate "C",
    event_id text not null,
    api text not null,
    unique (account_id, event_id)
  )`,
  /* sql */ `create index subtrees_due on subtrees (account_id, due_at) where worked_at is null`,
  /* sql */ `create index subtrees_unlisted on subtrees (account_id, worked_at) where listed_at is null`,
  /* sql */ `create index subtrees_newest on subtrees (account_id, event_time)`,
  /* sql */ `create index subtrees_directory on subtrees (account_id, container_id, head, tail_hash)`,
];
