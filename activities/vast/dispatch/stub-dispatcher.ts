import pLimit from 'p-limit';
import { formatKey, type Key } from '../../../namespace/key.ts';
import { IsthmusError } from '../../../schema/errors.ts';
import type { StubTask } from '../../../schema/index/stubs.ts';
import type { Clock } from '../../../schema/ports/clock.ts';
import type { Sink } from '../../../schema/ports/sink.ts';
import { SinkPace } from './sink-pace.ts';
import type { StubTasks } from './stub-tasks.ts';
import { type StubOutcome, type WrittenStub, writeStub } from './write-stub.ts';

export interface DispatcherOptions {
  readonly sink: Sink;
  readonly tasks: StubTasks;
  readonly clock: Clock;
  readonly random: () => number;
  /** Told of every batch that was released. */
  readonly onBatch?: ((outcomes: Readonly<Record<StubOutcome, number>>) => void) | undefined;
  /** @default 64 */
  readonly atOnce?: number | undefined;
}

export type StubCounts = Record<StubOutcome, number>;

/**
 * Nobody else takes a claimed task for so long; a write is broken off by the sink after a third of it. What a killed
 * worker had claimed waits as long.
 */
const LEASE = 15_000;
/** A task that waited so long since its claim is not begun: its write might end after the lease. */
const BEGIN_WITHIN = 6_000;
/** Of 256, the index spent a quarter of its time for stubs on planning the statements of a batch. */
const CLAIM = 512;
/**
 * After a claim that was not full, so that many that come together are one batch, in milliseconds. At 2,000 stubs a
 * second it left a quarter of two cores idle, and without it a sixth.
 */
const GATHER = 100;
/** Batches under way: while one is released, the next is claimed and another is written. */
const BATCHES = 3;
const PATIENCE = 64;

/**
 * One turn at a sink's stub tasks: claims, writes many at once, releases with the revision that was claimed.
 *
 * Idling: nothing is due; the index is asked again after 100 to 200 ms. Working: up to three batches are under
 * way, and while there is little to do it is gathered. Slowing: the sink errors, fewer at once and a pause before
 * each claim. Ending: the time is up, the turn was cancelled or the sink is hopeless: nothing more is claimed and
 * what is under way is finished and released.
 */
export class StubDispatcher {
  readonly counts: StubCounts = { written: 0, removed: 0, unchanged: 0, failed: 0 };
  readonly #options: DispatcherOptions;
  readonly #pace: SinkPace;
  readonly #limit: ReturnType<typeof pLimit>;
  #lastFailure: string | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const most = options.atOnce ?? 64;
    this.#pace = new SinkPace({ most, patience: PATIENCE });
    this.#limit = pLimit(most);
  }

  /** The name that failed last, and with what; undefined where none did. */
  get lastFailure(): string | undefined {
    return this.#lastFailure;
  }

  /** @param until milliseconds since 1970. Throws `ISTHMUS_SINK` where the sink takes nothing at all. */
  async run(until: number, signal: AbortSignal): Promise<void> {
    const { clock, tasks, random } = this.#options;
    const batches = new Set<Promise<void>>();
    const trouble: unknown[] = [];
    try {
      while (clock.now() < until && !signal.aborted && trouble.length === 0 && !this.#pace.hopeless) {
        if (this.#pace.pace.pauseMs > 0) await clock.sleep(this.#pace.pace.pauseMs, signal);
        const claimedAt = clock.now();
        const claimed = await tasks.claim(CLAIM, LEASE);
        if (claimed.length === 0) {
          await clock.sleep(Math.min(100 + random() * 100, Math.max(1, until - clock.now())), signal);
          continue;
        }
        const batch = this.#batch(claimed, claimedAt, signal)
          .catch((error: unknown) => void trouble.push(error))
          .finally(() => batches.delete(batch));
        batches.add(batch);
        if (batches.size >= BATCHES) await Promise.race(batches);
        if (claimed.length < CLAIM) await clock.sleep(GATHER, signal);
      }
    } catch (error) {
      if (!signal.aborted) trouble.push(error);
    }
    await Promise.all(batches);
    signal.throwIfAborted();
    if (trouble.length > 0) throw trouble[0];
    if (this.#pace.hopeless) {
      throw new IsthmusError(
        'ISTHMUS_SINK',
        `the last ${PATIENCE} names failed, the last of them with: ${this.#lastFailure}`,
      );
    }
  }

  async #batch(claimed: readonly StubTask[], claimedAt: number, signal: AbortSignal): Promise<void> {
    this.#limit.concurrency = this.#pace.pace.atOnce;
    const written = await Promise.all(claimed.map((task) => this.#limit(() => this.#write(task, claimedAt, signal))));
    const done = written.filter((each) => each !== undefined);
    const outcomes: StubCounts = { written: 0, removed: 0, unchanged: 0, failed: 0 };
    for (const { outcome, result } of done) {
      outcomes[outcome]++;
      if (outcome === 'failed') this.#lastFailure = `'${formatKey(result.key)}': ${result.detail}`;
    }
    this.#pace.batch(done.length - outcomes.failed, outcomes.failed);
    // Wishes first: a crash before the release leaves these tasks due, and they wish again. A wish for a name of
    // this very batch moves its lease, so the release leaves it due.
    const due = byKey(done.flatMap((each) => each.due));
    const above = byKey(done.flatMap((each) => each.above));
    for (const key of due.keys()) above.delete(key);
    await this.#options.tasks.markDue([...due.values()]);
    await this.#options.tasks.markDue([...above.values()], 'not-shadowed');
    await this.#options.tasks.release(done.map(({ result }) => result));
    const begun = new Set(done.map(({ result }) => result.key));
    await this.#options.tasks.giveBack(claimed.filter(({ key }) => !begun.has(key)));
    for (const [outcome, count] of Object.entries(outcomes)) this.counts[outcome as StubOutcome] += count;
    this.#options.onBatch?.(outcomes);
  }

  /** @returns undefined for a task that was not begun. */
  async #write(task: StubTask, claimedAt: number, signal: AbortSignal): Promise<WrittenStub | undefined> {
    if (signal.aborted || this.#options.clock.now() > claimedAt + BEGIN_WITHIN) return undefined;
    try {
      const { sink, tasks, random } = this.#options;
      return await writeStub(task, { sink, hasLiveBelow: (below) => tasks.hasLiveBelow(below), random }, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }
}

function byKey(keys: readonly Key[]): Map<string, Key> {
  return new Map(keys.map((key) => [formatKey(key), key]));
}
