import type { StubTasks } from '../../../activities/vast/dispatch/stub-tasks.ts';
import { compareKeys, formatKey, type Key, parseKey } from '../../../namespace/key.ts';
import type { StubResult, StubTask } from '../../../schema/index/stubs.ts';
import type { Clock } from '../../../schema/ports/clock.ts';

interface Row {
  revision: number;
  live: boolean;
  etag: string;
  due: boolean;
  at: number;
  tries: number;
  result: StubResult | undefined;
}

/** Stub tasks in memory, with the index's rules: leases, fences, and dues that a release must not hide. */
export class MemoryTasks implements StubTasks {
  readonly #rows = new Map<string, Row>();
  readonly #clock: Pick<Clock, 'now'>;

  constructor(clock: Pick<Clock, 'now'> = Date) {
    this.#clock = clock;
  }

  get due(): number {
    return [...this.#rows.values()].filter((row) => row.due).length;
  }

  set(key: string, etag: string): void {
    this.#change(key, true, etag);
  }

  delete(key: string): void {
    this.#change(key, false, '');
  }

  forget(key: string): void {
    this.#rows.delete(key);
  }

  stateOf(key: string): StubResult | undefined {
    return this.#rows.get(key)?.result;
  }

  async claim(limit: number, leaseMs: number): Promise<readonly StubTask[]> {
    const now = this.#clock.now();
    const ready = [...this.#rows].filter(([, row]) => row.due && row.at <= now).slice(0, limit);
    for (const [, row] of ready) row.at = now + leaseMs;
    return ready
      .map(([text, row]): StubTask => {
        const attributes = row.live ? { etag: row.etag, length: 10 } : undefined;
        const { revision, live, tries, result } = row;
        return {
          key: parseKey(text),
          revision,
          live,
          attributes,
          stubState: result?.state ?? 'none',
          stubEtag: result?.etag,
          tries,
          lease: row.at,
        };
      })
      .sort((a, b) => compareKeys(a.key, b.key));
  }

  async release(results: readonly StubResult[]): Promise<void> {
    for (const result of results) {
      const row = this.#rows.get(formatKey(result.key));
      if (row === undefined) continue;
      const taken = row.revision === result.revision;
      const wished = taken && row.at !== result.lease;
      if (!wished) row.at = this.#clock.now() + (taken ? (result.retryInMs ?? 0) : 0);
      if (!taken) continue;
      row.due = result.retryInMs !== undefined || wished;
      row.tries = row.due ? row.tries + 1 : 0;
      row.result = result;
    }
  }

  async giveBack(tasks: readonly StubTask[]): Promise<void> {
    await this.markDue(tasks.map(({ key }) => key));
  }

  async markDue(keys: readonly Key[], which: 'all' | 'not-shadowed' = 'all'): Promise<void> {
    for (const key of keys) {
      const row = this.#rows.get(formatKey(key));
      if (row === undefined) continue;
      if (which === 'all' || (row.live && (row.due || row.result?.state !== 'shadowed')))
        Object.assign(row, { due: true, at: this.#clock.now(), tries: 0 });
    }
  }

  async hasLiveBelow(key: Key): Promise<boolean> {
    return [...this.#rows].some(([text, row]) => row.live && text.startsWith(`${formatKey(key)}/`));
  }

  #change(key: string, live: boolean, etag: string): void {
    const row = this.#rows.get(key);
    this.#rows.set(key, {
      revision: (row?.revision ?? 0) + 1,
      live,
      etag,
      due: true,
      at: row?.at ?? 0,
      tries: 0,
      result: row?.result,
    });
  }
}
