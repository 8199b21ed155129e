import type { Api, BlobChange } from '../../infra/local/storage/change.ts';
import {
  containerVersionOf,
  etagOf,
  type SequencerSource,
  sequencerOf,
} from '../../infra/local/storage/sequencer-source.ts';

const CONTAINERS = ['landing', 'telemetry', 'feature-store', 'training-data', 'checkpoints', 'curated'] as const;
const TYPES = ['application/octet-stream', 'application/vnd.apache.parquet', 'application/json'] as const;
/** Shares of the records. The others make new names. */
const OVERWRITES = 0.3;
const DELETES = 0.1;
/** Half of what is overwritten or deleted is among the newest names, the other half anywhere: lakes rewrite young data, and compact old. */
const YOUNG = 50_000;

/** A change, and when the version before it was written where there is one. */
export interface MadeChange {
  readonly change: BlobChange;
  readonly before: string | undefined;
}

/**
 * Makes the changes of an account in their order: six in ten create a name, three overwrite one, one deletes one that
 * is live. Names are 60 to 100 bytes, in deep folders of several containers. The same seed makes the same changes.
 *
 * Memory: a byte a name.
 */
export class ChangeMaker {
  readonly #sequencers: SequencerSource;
  readonly #random: () => number;
  readonly #live: Uint8Array;
  readonly #containerVersions: readonly string[];
  #names = 0;

  constructor(records: number, sequencers: SequencerSource, random: () => number) {
    this.#sequencers = sequencers;
    this.#random = random;
    this.#live = new Uint8Array(records);
    this.#containerVersions = CONTAINERS.map(() => containerVersionOf(sequencers.next().ticks));
  }

  /** Names that were made, deleted ones among them. */
  get names(): number {
    return this.#names;
  }

  next(): MadeChange {
    const kind = this.#random();
    const old = kind < OVERWRITES + DELETES ? this.#pick() : undefined;
    const { ticks, time } = this.#sequencers.next();
    if (old === undefined) {
      const made = this.#names++;
      this.#live[made] = 1;
      return { change: this.#change(made, this.#writeApi(), ticks, time), before: undefined };
    }
    if (kind < OVERWRITES) return { change: this.#change(old, this.#writeApi(), ticks, time), before: time };
    this.#live[old] = 0;
    return { change: this.#change(old, 'DeleteBlob', ticks, time), before: time };
  }

  /** A name that is live; none where a few tries find none. */
  #pick(): number | undefined {
    const from = this.#random() < 0.5 ? Math.max(0, this.#names - YOUNG) : 0;
    for (let tries = 0; tries < 20; tries++) {
      const name = from + Math.floor(this.#random() * (this.#names - from));
      if (this.#live[name] === 1) return name;
    }
    return undefined;
  }

  #writeApi(): Api {
    const kind = this.#random();
    return kind < 0.6 ? 'PutBlob' : kind < 0.95 ? 'PutBlockList' : 'CopyBlob';
  }

  #change(number: number, api: Api, ticks: bigint, time: string): BlobChange {
    const scattered = Math.imul(number, 0x9e3779b1) >>> 0;
    const at = scattered % CONTAINERS.length;
    const name = nameOf(number, scattered);
    const digits = ticks.toString(16).padStart(16, '0');
    const request = `${scattered.toString(16).padStart(8, '0')}-${digits.slice(8, 12)}-${digits.slice(4, 8)}-3aac-28bc79`;
    return {
      kind: 'blob',
      type: api === 'DeleteBlob' ? 'BlobDeleted' : 'BlobCreated',
      api,
      container: CONTAINERS[at] ?? CONTAINERS[0],
      name,
      path: '',
      id: `${request}06${digits.slice(12)}`,
      requestId: `${request}000000`,
      clientRequestId: `${digits.slice(8)}-94a0-11ea-9fd6-${scattered.toString(16).padStart(12, '0')}`,
      time,
      etag: etagOf(ticks),
      contentType: TYPES[number % TYPES.length] ?? TYPES[0],
      contentLength: 1_000 + (scattered % 200_000_000),
      blobType: 'BlockBlob',
      containerVersion: this.#containerVersions[at] ?? '',
      sequencer: sequencerOf(ticks),
    };
  }
}

function nameOf(number: number, scattered: number): string {
  const day = String(1 + (Math.floor(number / 40_000) % 28)).padStart(2, '0');
  const site = (scattered >>> 8) % 37;
  const device = String((scattered >>> 14) % 613).padStart(4, '0');
  const part = String(number).padStart(8, '0');
  return `fleet-${site}/year=2026/month=11/day=${day}/device-${device}/part-${part}-${scattered.toString(16)}.snappy.parquet`;
}
