/**
 * Messages that could not be applied and that no queue keeps for us: what Event Hubs carried (its log knows no dead
 * letters) and what Event Grid wrote to its dead-letter container. Those of Service Bus stay in its own queue.
 *
 * **One row for one message.** Whoever keeps a letter may keep it again after a crash, also once it was replayed or
 * discarded: the row stays as it is. A message id may be longer than a B-tree row, so its SHA-256 is what is unique.
 *
 * **The body is bytes.** `jsonb` takes neither U+0000 nor half a surrogate pair nor what is no JSON at all; `body_form`
 * says how the bytes are to be read, so that a replay decodes what came and not what was left of it.
 *
 * **Blobs that were read** are kept by name and ETag for as long as they are in Event Grid's container: a forgotten one
 * would be read again. `read_at` is when one was read, or was last found there, to within a day.
 */
export const deadLetters: readonly string[] = [
  /* sql */ `
  create table dead_letters (
    id bigint generated always as identity primary key,
    account_id integer not null references accounts,
    enqueued_at bigint not null,
    kept_at bigint not null,
    settled_at bigint,
    origin text not null,
    state text not null default 'open' check (state in ('open', 'replayed', 'discarded')),
    body_form text not null check (body_form in ('json', 'bytes', 'shown')),
    message_id text not null,
    message_hash bytea not null check (length(message_hash) = 32),
    reason text not null,
    description text not null,
    body bytea not null,
    unique (account_id, origin, message_hash),
    check ((state = 'open') = (settled_at is null))
  )`,
  /* sql */ `create index dead_letters_open on dead_letters (account_id, id) where state = 'open'`,
  /* sql */ `create index dead_letters_settled on dead_letters (account_id, settled_at) where state <> 'open'`,

  /* sql */ `
  create table dead_letter_blobs (
    account_id integer not null references accounts,
    read_at bigint not null,
    letters integer not null,
    name_hash bytea not null check (length(name_hash) = 32),
    etag text collate "C" not null,
    name text not null,
    primary key (account_id, name_hash, etag)
  )`,
];
