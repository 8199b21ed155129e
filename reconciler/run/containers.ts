import { type ContainerRow, ensureContainers } from '../../schema/index/containers.ts';
import type { Index } from '../../schema/index/database.ts';
import { transact } from '../../schema/index/transact.ts';

/** So many are remembered; an account may have more. */
const MOST = 20_000;

/** The index's numbers of containers, by name; those that it has not seen are made. */
export class ContainerIds {
  readonly #index: Index;
  readonly #accountId: number;
  readonly #known = new Map<string, number>();

  constructor(index: Index, accountId: number) {
    this.#index = index;
    this.#accountId = accountId;
  }

  async of(names: Iterable<string>): Promise<(name: string) => number> {
    const ids = new Map<string, number>();
    const missing: string[] = [];
    for (const name of new Set(names)) {
      const id = this.#known.get(name);
      if (id === undefined) missing.push(name);
      else ids.set(name, id);
    }
    if (missing.length > 0) {
      if (this.#known.size + missing.length > MOST) this.#known.clear();
      const made: ReadonlyMap<string, ContainerRow> = await transact(this.#index, (tx) =>
        ensureContainers(tx, this.#accountId, missing),
      );
      for (const [name, { id }] of made) {
        this.#known.set(name, id);
        ids.set(name, id);
      }
    }
    // Not by what is remembered, which others may make room in meanwhile.
    return (name) => {
      const id = ids.get(name);
      if (id === undefined) throw new RangeError(`container ${name} has no number`);
      return id;
    };
  }
}
