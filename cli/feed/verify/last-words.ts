import type { ClientBase } from 'pg';
import type { BlobEvent } from '../../../namespace/change.ts';
import { compareEpochs } from '../../../namespace/order.ts';
import { type CopyValue, copyRows } from '../../../reconciler/staging/copy-rows.ts';
import { storedName } from '../../../schema/index/names.ts';
import { storableText } from '../../../schema/index/storable.ts';
import type { Position } from '../dump/record-json.ts';

/** An event that can be ordered, and where the feed says it. */
interface Word {
  readonly event: BlobEvent;
  readonly position: Position;
}

export interface LastWordsOptions {
  /** Words that are copied at a time. @default 20_000 */
  readonly page?: number | undefined;
  /** So many words are gathered at least before the superseded ones among them are dropped. @default 2_000_000 */
  readonly gathered?: number | undefined;
}

const PAGE = 20_000;
const GATHERED = 2_000_000;

const COLUMNS = `
  container text collate "C" not null, head text collate "C" not null, tail text collate "C" not null,
  tail_hash bytea not null, epoch bytea, sequencer bytea not null, seen bigint not null, effect text not null,
  etag text, chunk text not null, chunk_offset bigint not null, record_index integer not null`;

/**
 * The feed's last word on each key, gathered in Postgres, so that nothing in this process grows with the number of
 * keys. Words are copied, and those that are superseded are dropped by a sort once they may be half of all: an upsert
 * per page took five times as long. The tables are the connection's own and go with it.
 */
export class LastWords {
  readonly #client: ClientBase;
  readonly #pageSize: number;
  readonly #least: number;
  #page = new Map<string, Word>();
  /** In the table, superseded ones among them. */
  #gathered = 0;
  #limit: number;

  private constructor(client: ClientBase, { page = PAGE, gathered = GATHERED }: LastWordsOptions) {
    this.#client = client;
    this.#pageSize = page;
    this.#least = gathered;
    this.#limit = gathered;
  }

  static async create(client: ClientBase, options: LastWordsOptions = {}): Promise<LastWords> {
    await client.query(`create temporary table feed_words (${COLUMNS})`);
    return new LastWords(client, options);
  }

  /** An event without a sequencer cannot be the last word, nor any other. */
  async add(event: BlobEvent, position: Position): Promise<void> {
    if (event.sequencer === undefined) return;
    const key = `${event.container}/${event.name}`;
    const known = this.#page.get(key);
    if (known !== undefined && !isNewer(event, known.event)) return;
    this.#page.set(key, { event, position });
    if (this.#page.size >= this.#pageSize) await this.#flush();
  }

  /** @returns how many keys there are. */
  async seal(): Promise<number> {
    await this.#flush();
    await this.#dropSuperseded();
    await this.#client.query('analyze feed_words');
    return this.#gathered;
  }

  async #flush(): Promise<void> {
    const words = this.#page;
    this.#page = new Map();
    this.#gathered += await copyRows(this.#client, 'feed_words', rowsOf(words.values()));
    if (this.#gathered >= this.#limit) {
      await this.#dropSuperseded();
      this.#limit = Math.max(this.#least, 2 * this.#gathered);
    }
  }

  /**
   * Rule 1 of the clock. A word without an epoch counts as older than one with: it was written before the feed
   * told epochs.
   */
  async #dropSuperseded(): Promise<void> {
    const { rowCount } = await this.#client.query(`
      create temporary table newest_words as
      select distinct on (container, head, tail) * from feed_words
      order by container, head, tail, epoch desc nulls last, sequencer desc`);
    await this.#client.query('drop table feed_words');
    await this.#client.query('alter table newest_words rename to feed_words');
    this.#gathered = rowCount ?? 0;
  }
}

function* rowsOf(words: Iterable<Word>): Generator<readonly CopyValue[]> {
  for (const { event, position } of words) {
    const { head, tail, tailHash } = storedName(event.name);
    yield [
      ...[event.container, head, tail, `\\x${tailHash}`],
      event.epoch === undefined ? null : `\\x${event.epoch}`,
      `\\x${event.sequencer}`,
      ...[event.time, event.effect, etagOf(event)],
      ...[position.chunk, position.offset, position.index],
    ];
  }
}

function isNewer(event: BlobEvent, known: BlobEvent): boolean {
  const byEpoch = compareEpochs(event.epoch, known.epoch);
  return byEpoch === 0 ? (event.sequencer ?? '') > (known.sequencer ?? '') : byEpoch > 0;
}

/** The ETag of a delete is the delete's own. */
function etagOf({ effect, attributes }: BlobEvent): string | undefined {
  return effect === 'delete' || attributes === undefined ? undefined : storableText(attributes.etag);
}
