import type { ColumnType, Generated } from 'kysely';

/** Milliseconds since 1970, lengths, revisions: int8, read as a number. */
type Int8 = number;
/** Written as JSON text, read as what it holds. */
type Json<T> = ColumnType<T, string, string>;

/** Account, container and name as the index stores them; see the first migration for why a name is cut in two. */
export interface KeyColumns {
  readonly account_id: number;
  readonly container_id: number;
  readonly head: string;
  readonly tail: string;
  readonly tail_hash: Buffer;
}

export interface EntriesTable extends KeyColumns {
  live: boolean;
  etag: string | null;
  length: Int8 | null;
  blob_type: string | null;
  content_type: string | null;
  md5: string | null;
  last_modified: Int8 | null;
  tier: string | null;
  metadata: Json<Readonly<Record<string, string>>> | null;
  sequencer: Buffer | null;
  epoch: Buffer | null;
  seen: Int8;
  look: Int8 | null;
  look_due: boolean;
  revision: Int8;
  source: string;
  event_id: string;
  event_time: Int8;
  rule_revision: number;
  changed_at: Int8;
  tombstone_at: Int8 | null;
  sink_id: number | null;
  stub_due: boolean;
  stub_at: Int8;
  stub_leased_until: Int8;
  stub_tries: number;
  stub_state: string;
  stub_revision: Int8;
  stub_etag: string | null;
  stub_detail: string | null;
}

/** The columns of `Tables`, for Kysely. The migrations are what makes them. */
export interface Tables {
  accounts: {
    id: Generated<number>;
    name: string;
    horizon: Int8 | null;
    margin: Generated<number>;
    rule_revision: number | null;
    triggers_distrusted_at: Generated<Int8 | null>;
  };
  sinks: {
    id: Generated<number>;
    account_id: number;
    name: string;
    root: string | null;
    view_id: string | null;
    had_view: Generated<boolean>;
  };
  containers: {
    account_id: number;
    id: Generated<number>;
    name: string;
    newest_epoch: Buffer | null;
    gone_at: Int8 | null;
    sweep_due: boolean;
    sweep_at: Int8;
    sweep_round: Int8;
    sweep_head: string;
    sweep_tail: string;
  };
  entries: EntriesTable;
  looks: KeyColumns & {
    reason: string;
    queued_at: Int8;
    due_at: Int8;
    attempts: number;
    error: string | null;
  };
  authority_revisions: {
    account_id: number;
    revision: number;
    rules: Json<unknown>;
    note: string;
    published_at: Int8;
  };
  feed_cursors: { account_id: number; version: number; segment: string; moved_at: Int8 };
  feed_shards: {
    account_id: number;
    shard: string;
    chunk: string;
    chunk_offset: Int8;
    record_index: number;
    version: number;
    moved_at: Int8;
  };
  feed_gaps: {
    id: Generated<number>;
    account_id: number;
    missing: string;
    detail: Json<unknown>;
    noted_at: Int8;
    requested_at: Int8 | null;
    healed_at: Int8 | null;
    run_id: number | null;
  };
  feed_skips: {
    id: Generated<number>;
    account_id: number;
    chunk: string;
    from_offset: Int8;
    to_offset: Int8;
    reason: string;
    skipped_at: Int8;
  };
  trigger_trust: {
    account_id: number;
    first_applied: Int8 | null;
    agreed: Generated<Int8>;
    mismatched: Generated<Int8>;
    evidence: Json<unknown>;
    reread_wanted: Generated<boolean>;
    updated_at: Int8;
  };
  sources: {
    account_id: number;
    source: string;
    head: Int8 | null;
    applied: Int8 | null;
    state: string;
    reason: string | null;
    detail: Json<unknown>;
    updated_at: Int8;
  };
  violations: {
    id: Generated<Int8>;
    account_id: number;
    container: string;
    name: string;
    reason: string;
    source: string;
    event_id: string;
    api: string;
    event_time: Int8;
    change_etag: string | null;
    change_length: Int8 | null;
    entry_etag: string | null;
    entry_length: Int8 | null;
    entry_revision: Int8 | null;
    rule_revision: number;
    noted_at: Int8;
  };
  journal: {
    id: Generated<Int8>;
    account_id: number;
    kind: string;
    container: string | null;
    name: string | null;
    detail: Json<unknown>;
    noted_at: Int8;
  };
  hydrations: {
    account_id: number;
    request_id: string;
    prefix: string;
    state: string;
    files: Int8;
    already: Int8;
    bytes: Int8;
    failed: Int8;
    started_at: Int8;
    ended_at: Int8 | null;
  };
  runs: {
    id: Generated<number>;
    account_id: number;
    judge: string;
    prefix: string;
    manifest: string | null;
    outcome: string | null;
    reason: string | null;
    started_at: Int8;
    ended_at: Int8 | null;
    state: Json<unknown>;
    counts: Json<unknown>;
    sink: string | null;
    moved_at: Int8 | null;
    waiting_since: Int8 | null;
    decision: string | null;
    decided_by: string | null;
    decided_at: Int8 | null;
    decision_reason: string | null;
  };
  drift_findings: {
    id: Generated<Int8>;
    run_id: number;
    account_id: number;
    noted_at: Int8;
    settled_at: Int8 | null;
    streak: Generated<number>;
    difference: string;
    cause: string;
    state: string;
    key_hash: Buffer;
    container: string;
    name: string;
    detail: Json<unknown>;
  };
  subtrees: {
    id: Generated<Int8>;
    account_id: number;
    event_time: Int8;
    noted_at: Int8;
    due_at: Int8;
    worked_at: Int8 | null;
    requested_at: Int8 | null;
    listed_at: Int8 | null;
    gone: Generated<Int8>;
    looks: Generated<Int8>;
    refused: Generated<Int8>;
    container_id: number;
    claim: Generated<number>;
    after_run: number | null;
    recursive: boolean;
    head: string;
    tail: string;
    tail_hash: Buffer;
    after: Generated<string>;
    to_container: string | null;
    to_name: string | null;
    event_id: string;
    api: string;
  };
  event_hub_partitions: {
    account_id: number;
    namespace: string;
    event_hub: string;
    consumer_group: string;
    partition: string;
    owner: string;
    owner_version: number;
    owned_at: Int8;
    event_offset: string | null;
    sequence: Int8 | null;
    enqueued_at: Int8 | null;
    moved_at: Int8 | null;
  };
  dead_letters: {
    id: Generated<Int8>;
    account_id: number;
    enqueued_at: Int8;
    kept_at: Int8;
    settled_at: Int8 | null;
    origin: string;
    state: Generated<string>;
    body_form: string;
    message_id: string;
    message_hash: Buffer;
    reason: string;
    description: string;
    body: Buffer;
  };
  dead_letter_blobs: {
    account_id: number;
    read_at: Int8;
    letters: number;
    name_hash: Buffer;
    etag: string;
    name: string;
  };
  trigger_watch: {
    account_id: number;
    heard_at: Int8;
    since: Int8;
    received_at: Int8 | null;
    untold_at: Int8 | null;
    untold_noted_at: Int8 | null;
    canary_at: Int8 | null;
    canary_waiting: Int8 | null;
    source: string;
    untold_name: string | null;
    canary_error: string | null;
  };
  trigger_minutes: {
    account_id: number;
    minute: Int8;
    source: string;
    received: Int8;
    late: Int8;
    by_trigger: Int8;
    by_feed: Int8;
    lateness: readonly number[];
  };
}
