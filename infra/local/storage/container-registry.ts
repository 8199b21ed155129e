import type { Clock } from '../../../schema/ports/clock.ts';
import { containerVersionOf, type SequencerSource } from './sequencer-source.ts';
import { StateFile } from './state-file.ts';

interface Known {
  readonly version: string;
  /** When it was deleted, in milliseconds since 1970; absent while it stands. */
  readonly deletedAt?: number;
}

/**
 * Which containers stand, since when, and which names still wait after a delete. One line of memory for every
 * container. Callers hold the container's lock, exclusive where they create or delete.
 */
export class ContainerRegistry {
  readonly #known: Map<string, Known>;
  readonly #file: StateFile<[string, Known][]>;
  readonly #clock: Clock;
  readonly #sequencers: SequencerSource;
  readonly #holdMs: number;

  private constructor(
    known: Map<string, Known>,
    file: StateFile<[string, Known][]>,
    options: { clock: Clock; sequencers: SequencerSource; holdMs: number },
  ) {
    this.#known = known;
    this.#file = file;
    this.#clock = options.clock;
    this.#sequencers = options.sequencers;
    this.#holdMs = options.holdMs;
  }

  static async open(
    path: string,
    options: { clock: Clock; sequencers: SequencerSource; holdMs: number },
  ): Promise<ContainerRegistry> {
    const file = new StateFile<[string, Known][]>(path);
    return new ContainerRegistry(new Map(await file.read()), file, options);
  }

  /** Azure refuses the name of a deleted container for at least 30 s. */
  isBeingDeleted(container: string): boolean {
    const deletedAt = this.#known.get(container)?.deletedAt;
    return deletedAt !== undefined && this.#clock.now() < deletedAt + this.#holdMs;
  }

  /** The container's creation as the feed prints it; one that was there before the front counts from when it is first seen. */
  versionOf(container: string): string {
    const known = this.#known.get(container);
    if (known !== undefined && known.deletedAt === undefined) return known.version;
    const version = containerVersionOf(this.#sequencers.next().ticks);
    this.#known.set(container, { version });
    void this.#save();
    return version;
  }

  /** Resolves when a crash can no longer forget it. */
  async created(container: string): Promise<void> {
    this.#known.set(container, { version: containerVersionOf(this.#sequencers.next().ticks) });
    await this.#save();
  }

  async deleted(container: string): Promise<void> {
    const version = this.#known.get(container)?.version ?? '';
    this.#known.set(container, { version, deletedAt: this.#clock.now() });
    await this.#save();
  }

  async #save(): Promise<void> {
    for (const [name, { deletedAt }] of this.#known) {
      if (deletedAt !== undefined && !this.isBeingDeleted(name)) this.#known.delete(name);
    }
    await this.#file.write([...this.#known]);
  }
}
