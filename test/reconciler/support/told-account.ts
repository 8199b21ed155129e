import type { BlobEvent } from '../../../namespace/change.ts';
import type { Attributes, BlobType } from '../../../namespace/entry.ts';
import { type Epoch, epochAt } from '../../../namespace/epoch.ts';
import type { Key } from '../../../namespace/key.ts';
import { parseSequencer } from '../../../namespace/sequencer.ts';
import { applyEvents } from '../../../schema/index/apply-events.ts';
import { underLiveRules } from '../../../schema/index/live-rules.ts';
import { upsertSource } from '../../../schema/index/sources.ts';
import { transact } from '../../../schema/index/transact.ts';
import type { FakeBlobs } from './fake-blobs.ts';
import type { World } from './world.ts';

/** What Azure tells of one change, before a source has brought it. */
export type Told = Omit<BlobEvent, 'source'>;

export interface Written {
  readonly type?: BlobType | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** Writes to the account in memory, and says of each change what Azure would: who hears of it is the test's to settle. */
export class ToldAccount {
  readonly blobs: FakeBlobs;
  readonly #epochs = new Map<string, Epoch>();
  #changes = 0;

  constructor(blobs: FakeBlobs) {
    this.blobs = blobs;
  }

  createContainer(name: string): void {
    this.blobs.create(name);
    this.#epochs.set(name, epochAt(this.blobs.told));
  }

  /** No event tells it. */
  deleteContainer(name: string): void {
    this.blobs.containers.delete(name);
  }

  attributes({ container, name }: Key): Attributes | undefined {
    return this.blobs.containers.get(container)?.get(name)?.attributes;
  }

  put(key: Key, { type = 'BlockBlob', metadata }: Written = {}): Told {
    const bytes = new Uint8Array(8 + (this.#changes % 50));
    const more = { blobType: type, ...(metadata !== undefined && { metadata }) };
    const made = this.blobs.put(key.container, key.name, bytes, more);
    return this.#tell(key, type === 'BlockBlob' ? 'put' : 'touch', made);
  }

  /** What an append or a page does. Event Grid tells nothing of it, and older feeds neither. */
  grow(key: Key): Told {
    const length = (this.attributes(key)?.length ?? 0) + 7;
    return this.#tell(key, 'touch', this.blobs.change(key.container, key.name, { length }));
  }

  setMetadata(key: Key, metadata: Readonly<Record<string, string>>): Told {
    return this.#tell(key, 'touch', this.blobs.change(key.container, key.name, { metadata }));
  }

  setTier(key: Key, tier: string): Told {
    const moved = this.blobs.retier(key.container, key.name, tier);
    const told = this.#tell(key, moved.blobType === 'BlockBlob' ? 'put' : 'touch', moved);
    return { ...told, attributes: told.attributes && { ...told.attributes, tier } };
  }

  delete(key: Key): Told {
    this.blobs.delete(key.container, key.name);
    return this.#tell(key, 'delete', undefined);
  }

  #tell(key: Key, effect: BlobEvent['effect'], made: Attributes | undefined): Told {
    this.#changes++;
    return {
      ...{ kind: 'event', container: key.container, name: key.name, effect, api: effect },
      // What events carry of a blob, no more.
      attributes: made && { etag: made.etag, length: made.length, blobType: made.blobType },
      sequencer: parseSequencer(this.#changes.toString(16)),
      epoch: this.#epochs.get(key.container),
      time: this.blobs.told,
      eventId: `event ${this.#changes}`,
    };
  }
}

/** Has the index hear of changes by one source, as its intake would apply them, and how far the source is by then. */
export async function hear(world: World, source: 'trigger' | 'feed', told: readonly Told[]): Promise<void> {
  const { account } = world.judging;
  // Triggers know no epochs.
  const events = told.map((each): BlobEvent => {
    return { ...each, source, ...(source === 'trigger' && { epoch: undefined }) };
  });
  const applied = events.reduce<number | undefined>((newest, { time }) => Math.max(newest ?? time, time), undefined);
  await underLiveRules(world.judging, ({ index: rules, revision: ruleRevision }) =>
    transact(world.index, async (tx) => {
      const policy = { margin: account.margin, looks: true };
      await applyEvents(tx, { account, rules, ruleRevision, policy, events });
      await upsertSource(tx, { accountId: account.id, source, state: 'ok', head: applied, applied });
    }),
  );
}

/** The feed has been read to this time, and had nothing more to tell. */
export async function feedReadTo(world: World, applied: number): Promise<void> {
  const accountId = world.judging.account.id;
  await upsertSource(world.index.db, { accountId, source: 'feed', state: 'tailing', head: applied, applied });
}
