import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import { feedActivities } from '../../../activities/feed/feed-activities.ts';
import { AlarmLog } from '../../../activities/observability/alarm.ts';
import { createLogger } from '../../../activities/observability/logger.ts';
import { SourceWatch } from '../../../activities/observability/source-watch.ts';
import type { Services } from '../../../activities/services.ts';
import { collectStatus } from '../../../cli/status/collect-status.ts';
import { formatStatus } from '../../../cli/status/format-status.ts';
import { observeSources } from '../../../cli/worker/monitor.ts';
import { FeedUnavailableError, type FeedUnavailableReason } from '../../../schema/feed/feed-error.ts';
import { type StatusOutput, statusOutput } from '../../../schema/outputs/status.ts';
import type { Clock } from '../../../schema/ports/clock.ts';
import type { FeedStore } from '../../../schema/ports/feed-store.ts';
import { avroBlock, avroHeader, feedRecord, MemoryFeed } from '../../activities/azure/memory-feed.ts';
import { runActivity, testServices } from '../../activities/test-services.ts';
import { testIndex } from '../../support/postgres.ts';

const NEVER = new Promise<never>(() => {});
const { signal } = new AbortController();

/** What the account is to its readers. */
type Account = 'open' | 'stalled' | FeedUnavailableReason;

/** A feed, the loop that reads it, and who watches over both, on a clock that goes on only by `pass` and while the loop rests. */
export class AlarmWorld implements AsyncDisposable {
  readonly feed = new MemoryFeed();
  /** What the account answers to whoever asks. */
  account: Account = 'open';
  /** What it answers to the loop alone: one that hangs by itself. */
  loop: 'reads' | 'hangs' = 'reads';
  /** What Temporal tells of the loop, where an operator has paused it. */
  pause: { readonly reason?: string } | undefined;
  readonly #closing: AsyncDisposable;
  readonly #services: Services;
  readonly #tail: ReturnType<typeof feedActivities>;
  readonly #lines: string[] = [];
  readonly #watch: SourceWatch;
  readonly #alarms: AlarmLog;
  #now = Date.now();
  /** Every time that a row of the index was dated by. */
  readonly #settled: number[] = [];

  private constructor(services: Services, closing: AsyncDisposable) {
    const log = createLogger({ level: 'info', destination: { write: (line: string) => this.#lines.push(line) } });
    const clock: Clock = {
      now: () => this.now(),
      sleep: async (ms, signal) => {
        await setImmediate(undefined, { signal });
        this.pass(ms / 1000);
      },
    };
    this.#closing = closing;
    this.#services = { ...services, log, clock };
    const { federation } = services;
    const store = this.#store(() => this.account);
    this.#watch = new SourceWatch({ federation, feed: store, triggers: undefined });
    this.#alarms = new AlarmLog(log);
    const feed = this.#store(() => (this.loop === 'hangs' ? 'stalled' : this.account));
    this.#tail = feedActivities({ ...this.#services, feed });
  }

  /** One segment with one chunk that holds a record, which is applied. */
  static async open(changeFeed: { readonly lagLimitSeconds?: number } = {}): Promise<AlarmWorld> {
    const db = await testIndex();
    const services = await testServices(db.index, {});
    const { sources } = services.federation;
    const settings = { pollSeconds: 0.1, settleSeconds: 1, lagLimitSeconds: 600, ...changeFeed };
    const federation = { ...services.federation, sources: { ...sources, changeFeed: settings, inventory: undefined } };
    const world = new AlarmWorld({ ...services, federation }, db);
    world.feed.segment(0, 'Publishing');
    world.feed.append(world.chunk, avroHeader());
    world.write(1);
    await world.read();
    return world;
  }

  get chunk(): string {
    return `${this.feed.shard(0)}00000.avro`;
  }

  get services(): Services {
    return this.#services;
  }

  now(): number {
    return this.#now;
  }

  /** Time passes, for everybody. */
  pass(seconds: number): void {
    this.#now += seconds * 1000;
  }

  write(record: number): void {
    this.feed.now = this.now();
    this.feed.append(this.chunk, avroBlock([feedRecord(record)]));
  }

  /** A turn of the loop, which comes to the feed's end or cannot; one that hangs is left behind. */
  async read(): Promise<void> {
    const turn = () => runActivity(() => this.#tail.tailFeed({ seconds: 0.3 }));
    if (this.loop === 'hangs' || this.account === 'stalled') {
      turn().catch(() => undefined);
      return;
    }
    // After a gap it begins anew.
    for (let tries = 0; tries < 2; tries++) {
      const { caughtUp, state } = await turn();
      await this.#settleTimes();
      if (caughtUp || state !== 'tailing') return;
    }
    throw new Error('the loop did not reach the end of the feed');
  }

  /** An operator's order, which is carried out where the loop is paused too. */
  async rewind(): Promise<void> {
    await runActivity(() => this.#tail.rewindFeed({ cursor: { segment: this.feed.manifest(0) }, reason: 'a test' }));
    await this.#settleTimes();
  }

  /** What Postgres has just dated by its own clock is of now. */
  async #settleTimes(): Promise<void> {
    const { db } = this.#services.index;
    this.#settled.push(Math.round(this.#now));
    for (const [table, column] of Object.entries({
      feed_cursors: 'moved_at',
      feed_shards: 'moved_at',
      sources: 'updated_at',
      journal: 'noted_at',
    })) {
      const dated = sql.ref(column);
      await sql`
        update ${sql.table(table)} set ${dated} = ${this.#settled.at(-1)}::bigint
        where not ${dated} = any(${this.#settled}::bigint[])`.execute(db);
    }
  }

  /** One glance of the worker's monitor. @returns the alarms that it has said in the log, raised or cleared. */
  async glance(): Promise<readonly string[]> {
    this.#lines.length = 0;
    await observeSources(this.#services, this.#watch, this.#alarms, signal, { feed: this.pause });
    return this.#lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
  }

  /** What `isthmus status` says while no worker runs and Temporal is away: as JSON, for people, and of that its alarms. */
  async status(): Promise<StatusOutput & { readonly lines: readonly string[]; readonly told: readonly string[] }> {
    const { account, federation, index } = this.#services;
    const open = { account, federation, index, [Symbol.asyncDispose]: async () => {} };
    const watch = new SourceWatch({ federation, feed: this.#store(() => this.account), triggers: undefined }, 1_000);
    const asked = { watch, now: () => this.now(), [Symbol.asyncDispose]: async () => {} };
    const output = statusOutput.parse(await collectStatus(open, asked, undefined, signal));
    const alarms = output.alarms.filter(({ kind }) => kind !== 'temporal');
    const lines = formatStatus(output);
    return { ...output, alarms, lines, told: lines.filter((line) => line.startsWith('ALARM  ')) };
  }

  /** Value of one series; undefined where there is none. */
  async metric(series: string): Promise<number | undefined> {
    const lines = (await this.#services.metrics.registry.metrics()).split('\n');
    const line = lines.find((each) => each.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  }

  #store(account: () => Account): FeedStore {
    const { feed } = this;
    const answer = <T>(work: () => T): T | Promise<never> => {
      const is = account();
      if (is === 'stalled') return NEVER;
      if (is === 'open') return work();
      throw new FeedUnavailableError(is, `the account said: ${is}`);
    };
    return {
      readText: async (path, condition) => answer(() => feed.readText(path, condition)),
      readRange: async (path, offset, length, condition) =>
        answer(() => feed.readRange(path, offset, length, condition)),
      async *list(prefix) {
        yield* await answer(() => feed.list(prefix));
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closing[Symbol.asyncDispose]();
  }
}
