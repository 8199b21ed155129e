import type { IncomingHttpHeaders } from 'node:http';
import { FEED_CONTAINER } from '../account.ts';
import type { ContainerRegistry } from '../container-registry.ts';
import type { Journal } from '../journal.ts';
import type { Locks, Release } from '../locks.ts';
import type { SequencerSource } from '../sequencer-source.ts';
import { type AzureError, CONTAINER_BEING_DELETED } from './azure-error.ts';
import { describeChange } from './describe-change.ts';
import type { BlobOperation } from './operation.ts';
import type { BlobFacts, Upstream } from './upstream.ts';

/** What stands around a request that changes something. */
export interface Gate {
  /**
   * Awaited before the request's last byte goes to Azurite, so before Azurite can apply it. An error is
   * answered in Azurite's stead, which then never sees the whole request.
   */
  enter(): Promise<AzureError | undefined>;
  /** Awaited with Azurite's answer before the client sees it. */
  settle(status: number, answer: IncomingHttpHeaders, bodyBytes: number): Promise<void>;
  /** Gives up what is held; called in every case, maybe twice. */
  leave(): void;
}

export interface RecorderParts {
  readonly locks: Locks;
  readonly containers: ContainerRegistry;
  readonly journal: Journal;
  readonly sequencers: SequencerSource;
  readonly upstream: Upstream;
}

/** These leave the blob such that its earlier HEAD still tells type and length; the others need a later one. */
const ASKED_BEFORE: ReadonlySet<string> = new Set([
  'DeleteBlob',
  'SetBlobTier',
  'SetBlobMetadata',
  'SetBlobProperties',
  'SnapshotBlob',
]);

/**
 * Records what Azurite applied.
 *
 * Invariant: sequencers of one blob are in the order in which Azurite applied its changes. From before the last
 * byte of a request until its sequencer is taken the blob's lock is held, and the container's lock is held
 * shared, so that a change is never told of another incarnation of its container than the one that it met.
 */
export class ChangeRecorder {
  readonly #parts: RecorderParts;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /** The gate of one request that changes one blob. */
  blobGate(operation: BlobOperation, request: IncomingHttpHeaders): Gate {
    const attempt = new Attempt(this.#parts, operation, request);
    let releases: Release[] = [];
    return {
      enter: async () => {
        releases = await this.lock([operation]);
        await attempt.before();
        return undefined;
      },
      settle: async (status, answer, bodyBytes) => {
        if (status < 200 || status > 299) return;
        await attempt.after();
        attempt.record(answer, bodyBytes);
      },
      leave: () => {
        for (const release of releases) release();
      },
    };
  }

  containerGate(kind: 'create-container' | 'delete-container', container: string): Gate {
    const { locks, containers } = this.#parts;
    let release: Release = () => undefined;
    return {
      enter: async () => {
        release = await locks.exclusive(containerLock(container));
        const refused = kind === 'create-container' && containers.isBeingDeleted(container);
        return refused ? CONTAINER_BEING_DELETED : undefined;
      },
      settle: async (status) => {
        if (kind === 'create-container' && status === 201) await containers.created(container);
        if (kind === 'delete-container' && status === 202) await containers.deleted(container);
      },
      leave: () => release(),
    };
  }

  /** What one part of a batch is recorded by; the caller holds the locks of all of them. */
  attempt(operation: BlobOperation, request: IncomingHttpHeaders): Attempt {
    return new Attempt(this.#parts, operation, request);
  }

  /** Takes these containers for itself: no blob of theirs changes meanwhile. */
  async lockContainers(names: readonly string[]): Promise<Release[]> {
    const releases: Release[] = [];
    for (const name of [...new Set(names)].sort())
      releases.push(await this.#parts.locks.exclusive(containerLock(name)));
    return releases;
  }

  /** Takes the locks of these blobs and their containers, in the order that keeps two from waiting for each other. */
  async lock(operations: readonly BlobOperation[]): Promise<Release[]> {
    const { locks } = this.#parts;
    const containers = new Set(operations.map(({ key }) => containerLock(key.container)));
    const blobs = new Set(operations.map(({ key }) => `blob ${key.container}/${key.name}`));
    const releases: Release[] = [];
    for (const name of [...containers].sort()) releases.push(await locks.shared(name));
    for (const name of [...blobs].sort()) releases.push(await locks.exclusive(name));
    return releases;
  }
}

function containerLock(container: string): string {
  return `container ${container}`;
}

/** One change of one blob on its way: what was known before, what was learnt after. */
export class Attempt {
  readonly #parts: RecorderParts;
  readonly #operation: BlobOperation;
  readonly #request: IncomingHttpHeaders;
  #facts: BlobFacts | undefined;

  constructor(parts: RecorderParts, operation: BlobOperation, request: IncomingHttpHeaders) {
    this.#parts = parts;
    this.#operation = operation;
    this.#request = request;
  }

  async before(): Promise<void> {
    if (ASKED_BEFORE.has(this.#operation.api)) this.#facts = await this.#parts.upstream.look(this.#operation.path);
  }

  async after(): Promise<void> {
    const { api, fromUrl, path } = this.#operation;
    if (api === 'PutBlockList' || api === 'CopyBlob' || fromUrl) this.#facts = await this.#parts.upstream.look(path);
  }

  /** Gives the change its sequencer and writes it down. */
  record(answer: IncomingHttpHeaders, bodyBytes: number): void {
    const { journal, containers, sequencers } = this.#parts;
    const operation = this.#operation;
    if (operation.key.container === FEED_CONTAINER || this.#changesNothing()) return;
    const containerVersion = containers.versionOf(operation.key.container);
    const change = describeChange({
      operation,
      request: this.#request,
      bodyBytes,
      answer,
      facts: this.#facts,
      containerVersion,
      stamp: sequencers.next(),
    });
    journal.append(change);
  }

  /** Setting the tier that a blob has is no change of its tier. */
  #changesNothing(): boolean {
    const { api } = this.#operation;
    return api === 'SetBlobTier' && this.#facts?.tier === this.#request['x-ms-access-tier'];
  }
}
