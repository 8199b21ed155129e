/**
 * How far each partition of an event hub is applied, and who reads it.
 *
 * **Two things in one row.** The place (`event_offset`, `sequence`) moves in the transaction that holds the effect of
 * the events, by compare-and-set on `sequence`; the owner moves beside it, by compare-and-set on `owner_version`, as
 * Azure's client balances partitions over its readers. Neither waits for the other's word: a reader that has lost a
 * partition without knowing can still commit once, and whoever has it now then loses that page and begins behind it.
 *
 * Hub and namespace are in the key: the offsets of another hub mean nothing.
 */
export const eventHubs: readonly string[] = [
  /* sql */ `
  create table event_hub_partitions (
    account_id integer not null references accounts,
    owner_version integer not null default 0,
    owned_at bigint not null,
    sequence bigint,
    enqueued_at bigint,
    moved_at bigint,
    namespace text collate "C" not null,
    event_hub text collate "C" not null,
    consumer_group text collate "C" not null,
    partition text collate "C" not null,
    owner text not null,
    event_offset text,
    primary key (account_id, namespace, event_hub, consumer_group, partition),
    check ((sequence is null) = (event_offset is null))
  )`,
];
