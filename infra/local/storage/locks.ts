/** Ends a hold; further calls do nothing. */
export type Release = () => void;

interface Waiter {
  readonly exclusive: boolean;
  readonly grant: (release: Release) => void;
}

interface Lock {
  /** Holders in shared mode, or -1 for one exclusive holder. */
  holders: number;
  readonly waiters: Waiter[];
}

/**
 * Shared and exclusive locks by name, first come first served.
 *
 * Whoever takes several takes containers before blobs, each in order of name: else two could wait for each other.
 */
export class Locks {
  readonly #locks = new Map<string, Lock>();

  shared(name: string): Promise<Release> {
    return this.#acquire(name, false);
  }

  exclusive(name: string): Promise<Release> {
    return this.#acquire(name, true);
  }

  #acquire(name: string, exclusive: boolean): Promise<Release> {
    let lock = this.#locks.get(name);
    if (lock === undefined) {
      lock = { holders: 0, waiters: [] };
      this.#locks.set(name, lock);
    }
    const held = lock;
    return new Promise((grant) => {
      held.waiters.push({ exclusive, grant });
      this.#advance(name, held);
    });
  }

  #advance(name: string, lock: Lock): void {
    for (let next = lock.waiters[0]; next !== undefined; next = lock.waiters[0]) {
      if (lock.holders < 0 || (next.exclusive && lock.holders > 0)) return;
      lock.waiters.shift();
      lock.holders = next.exclusive ? -1 : lock.holders + 1;
      next.grant(this.#releaseOf(name, lock));
    }
    if (lock.holders === 0) this.#locks.delete(name);
  }

  #releaseOf(name: string, lock: Lock): Release {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      lock.holders = lock.holders < 0 ? 0 : lock.holders - 1;
      this.#advance(name, lock);
    };
  }
}
