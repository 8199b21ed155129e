import type { ClientBase } from 'pg';
import type { BlobEvent } from '../../../namespace/change.ts';
import { compareEpochs } from '../../../namespace/order.ts';
import { plainArray, textArray } from '../../../schema/index/arrays.ts';
import { storedName } from '../../../schema/index/names.ts';
import { storableText } from '../../../schema/index/storable.ts';
import type { Position } from '../dump/record-json.ts';

/** An event that can be ordered, and where the feed says it. */
interface Word {
  readonly event: BlobEvent;
  readonly position: Position;
}

const PAGE = 5_000;

/**
 * The feed's last word on each key, gathered in Postgres: a page is folded here and merged there, so that nothing in
 * this process grows with the number of keys. The table is the connection's own and goes with it.
 */
export class LastWords {
  readonly #client: ClientBase;
  readonly #page = new Map<string, Word>();

  private constructor(client: ClientBase) {
    this.#client = client;
  }

  static async create(client: ClientBase): Promise<LastWords> {
    await client.query(`
      create temporary table feed_words (
        container text collate "C" not null, head text collate "C" not null, tail text collate "C" not null,
        tail_hash bytea not null, epoch bytea, sequencer bytea not null, seen bigint not null, effect text not null,
        etag text, chunk text not null, chunk_offset bigint not null, record_index integer not null,
        primary key (container, head, tail_hash)
      )`);
    return new LastWords(client);
  }

  /** An event without a sequencer cannot be the last word, nor any other. */
  async add(event: BlobEvent, position: Position): Promise<void> {
    if (event.sequencer === undefined) return;
    const key = `${event.container}/${event.name}`;
    const known = this.#page.get(key);
    if (known !== undefined && !isNewer(event, known.event)) return;
    this.#page.set(key, { event, position });
    if (this.#page.size >= PAGE) await this.#flush();
  }

  /** @returns how many keys there are. */
  async seal(): Promise<number> {
    await this.#flush();
    await this.#client.query('analyze feed_words');
    const { rows } = await this.#client.query<{ keys: string }>('select count(*) as keys from feed_words');
    return Number(rows[0]?.keys ?? 0);
  }

  async #flush(): Promise<void> {
    const words = [...this.#page.values()];
    this.#page.clear();
    if (words.length === 0) return;
    const names = words.map(({ event }) => storedName(event.name));
    await this.#client.query(MERGE, [
      textArray(words.map(({ event }) => event.container)),
      textArray(names.map(({ head }) => head)),
      textArray(names.map(({ tail }) => tail)),
      textArray(names.map(({ tailHash }) => tailHash)),
      plainArray(words.map(({ event }) => event.epoch)),
      plainArray(words.map(({ event }) => event.sequencer)),
      plainArray(words.map(({ event }) => event.time)),
      plainArray(words.map(({ event }) => event.effect)),
      textArray(words.map(({ event }) => etagOf(event))),
      textArray(words.map(({ position }) => position.chunk)),
      plainArray(words.map(({ position }) => position.offset)),
      plainArray(words.map(({ position }) => position.index)),
    ]);
  }
}

const MERGE = `
  insert into feed_words
  select container, head, tail, decode(tail_hash, 'hex'), decode(epoch, 'hex'), decode(sequencer, 'hex'), seen, effect,
    etag, chunk, chunk_offset, record_index
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[],
    $9::text[], $10::text[], $11::bigint[], $12::integer[])
    as page (container, head, tail, tail_hash, epoch, sequencer, seen, effect, etag, chunk, chunk_offset, record_index)
  on conflict (container, head, tail_hash) do update set
    epoch = excluded.epoch, sequencer = excluded.sequencer, seen = excluded.seen, effect = excluded.effect,
    etag = excluded.etag, chunk = excluded.chunk, chunk_offset = excluded.chunk_offset,
    record_index = excluded.record_index
  where case when excluded.epoch <> feed_words.epoch then excluded.epoch > feed_words.epoch
    else excluded.sequencer > feed_words.sequencer end`;

/** Rule 1 of the clock, as the merge has it. */
function isNewer(event: BlobEvent, known: BlobEvent): boolean {
  const byEpoch = compareEpochs(event.epoch, known.epoch);
  return byEpoch === 0 ? (event.sequencer ?? '') > (known.sequencer ?? '') : byEpoch > 0;
}

/** The ETag of a delete is the delete's own. */
function etagOf({ effect, attributes }: BlobEvent): string | undefined {
  return effect === 'delete' || attributes === undefined ? undefined : storableText(attributes.etag);
}
