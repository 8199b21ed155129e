import type { InventoryBody, StorageState } from './control-api.ts';
import type { Faults, FaultsPatch } from './faults.ts';

/** What demo, tests and commands say to the storage front. Throws with the front's own words where it refuses. */
export class StorageControl {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  state(): Promise<StorageState> {
    return this.#call('GET', '/state');
  }

  faults(): Promise<Faults> {
    return this.#call('GET', '/faults');
  }

  /** Switches that are not named stay as they are. */
  setFaults(patch: FaultsPatch): Promise<Faults> {
    return this.#call('PUT', '/faults', patch);
  }

  clearFaults(): Promise<Faults> {
    return this.#call('DELETE', '/faults');
  }

  flushFeed(): Promise<{ readonly pendingFeedRecords: number }> {
    return this.#call('POST', '/feed/flush');
  }

  /** Resolves when the report is complete; `Pending` where the switch stopped it. */
  runInventory(body: InventoryBody = {}): Promise<{ readonly manifest: string; readonly status: string }> {
    return this.#call('POST', '/inventory/run', body);
  }

  /** Publishes every event that was ever published again. */
  replayTriggers(times = 1): Promise<{ readonly events: number }> {
    return this.#call('POST', '/triggers/replay', { times });
  }

  /** As an account with a hierarchical namespace does: one event for all that is in it. Both as `container/directory`. */
  renameDirectory(from: string, to: string): Promise<{ readonly blobs: number }> {
    return this.#call('POST', '/directories/rename', { from, to });
  }

  /** Without `recursive`, only where it is empty. */
  deleteDirectory(directory: string, recursive = true): Promise<{ readonly blobs: number }> {
    return this.#call('POST', '/directories/delete', { directory, recursive });
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    return JSON.parse(text) as T;
  }
}
