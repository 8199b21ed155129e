/**
 * What tells that the sender of triggers is late, or sends no more. No page waits for these rows: they are written
 * once a second at most, beside the transactions that apply.
 *
 * **A row for each transport that is listened to.** `since` begins anew where nobody has listened for a while, so that
 * nothing is expected of the time before. What should have been told and was not is kept until anything is received:
 * `untold_at` is the time of a change that the feed brought with no trigger before it, `untold_noted_at` when it was
 * noted, `canary_waiting` when the first canary was written whose trigger has not come.
 *
 * **A row for each minute** in which anything came: how many triggers and how late (`lateness` counts by the bounds of
 * `lateness.ts`), and of the changes of the feed how many a trigger had told before and how many not. Kept for a day.
 */
export const triggerWatch: readonly string[] = [
  /* sql */ `
  create table trigger_watch (
    account_id integer not null references accounts,
    heard_at bigint not null,
    since bigint not null,
    received_at bigint,
    untold_at bigint,
    untold_noted_at bigint,
    canary_at bigint,
    canary_waiting bigint,
    source text not null,
    untold_name text,
    canary_error text,
    primary key (account_id, source),
    check ((untold_at is null) = (untold_noted_at is null))
  )`,
  /* sql */ `
  create table trigger_minutes (
    account_id integer not null references accounts,
    minute bigint not null,
    received bigint not null,
    late bigint not null,
    by_trigger bigint not null,
    by_feed bigint not null,
    lateness integer[] not null,
    primary key (account_id, minute)
  )`,
];
