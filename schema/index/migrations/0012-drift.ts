/**
 * The drift ledger, and the parts of a listing that are not done (`ListingParts`).
 *
 * A run may stand still until a person decides: `waiting_since` is not null meanwhile, and `decision`, by whom, when
 * and why are kept. `sink` is the sink of a run that judged one. `moved_at` is when it last did a step.
 *
 * A finding has its difference, its one cause and what became of it; the evidence is in `detail`. `key_hash` finds a
 * name again (a name does not fit into an index): it is 16 bytes of SHA-256 over `container/name`. `streak` counts the runs in a row of
 * the same judge and scope that found the same difference of the same name. Findings of the time before had neither,
 * and go: at most a thousand of each run were kept, for people.
 *
 * A view bears an identity, and a folder without it (the mount point of a view that is not mounted) is told from it.
 * `view_id` is null until the first worker takes a view. `had_view` is true for sinks from before there were identities:
 * a folder that no worker has ever used is not taken for their view.
 */
export const drift: readonly string[] = [
  /* sql */ `
  alter table runs
    add column sink text collate "C",
    add column waiting_since bigint,
    add column decision text check (decision in ('approved', 'rejected', 'expired')),
    add column decided_by text,
    add column decided_at bigint,
    add column decision_reason text`,
  /* sql */ `create index runs_waiting on runs (account_id) where waiting_since is not null`,
  /* sql */ `drop table drift_findings`,
  /* sql */ `
  create table drift_findings (
    id bigint generated always as identity primary key,
    run_id integer not null references runs on delete cascade,
    account_id integer not null references accounts,
    noted_at bigint not null,
    settled_at bigint,
    streak integer not null default 1,
    difference text not null,
    cause text not null,
    state text not null,
    key_hash bytea not null check (length(key_hash) = 16),
    container text collate "C" not null,
    name text collate "C" not null,
    detail jsonb not null default '{}'
  )`,
  /* sql */ `create index drift_findings_run on drift_findings (run_id, id)`,
  /* sql */ `create index drift_findings_key on drift_findings (account_id, key_hash, run_id)`,
  /* sql */ `alter table runs add column moved_at bigint`,
  /* sql */ `
  create table listing_parts (
    part integer generated always as identity primary key,
    run_id integer not null references runs on delete cascade,
    container_id integer not null,
    container text collate "C" not null,
    prefix text collate "C" not null,
    how text not null default 'any',
    begun boolean not null default false,
    counts jsonb not null default '{}'
  )`,
  /* sql */ `create index listing_parts_run on listing_parts (run_id, part)`,
  // What they have staged has another shape than what goes on with it expects.
  /* sql */ `
  update runs set outcome = 'failed', reason = 'it was under way when Isthmus was brought up to date',
    ended_at = (extract(epoch from statement_timestamp()) * 1000)::bigint
  where outcome is null`,
  /* sql */ `
  alter table sinks
    add column view_id text collate "C",
    add column had_view boolean not null default true`,
  /* sql */ `alter table sinks alter column had_view set default false`,
];
