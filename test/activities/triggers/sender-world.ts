import { setImmediate } from 'node:timers/promises';
import { feedActivities } from '../../../activities/feed/feed-activities.ts';
import { AlarmLog } from '../../../activities/observability/alarm.ts';
import type { LoopPauses } from '../../../activities/observability/loop-pause.ts';
import { SourceWatch } from '../../../activities/observability/source-watch.ts';
import { triggerActivities } from '../../../activities/receive-triggers.ts';
import type { Services } from '../../../activities/services.ts';
import { collectStatus } from '../../../cli/status/collect-status.ts';
import { formatStatus } from '../../../cli/status/format-status.ts';
import { observeSources } from '../../../cli/worker/monitor.ts';
import { compileRules } from '../../../namespace/authority.ts';
import { blobSubject } from '../../../schema/events/blob-subject.ts';
import { rulesOf } from '../../../schema/federation/canary.ts';
import { type Federation, federationSchema } from '../../../schema/federation/federation.ts';
import { publishRules } from '../../../schema/index/authority-revisions.ts';
import type { CanaryBlob } from '../../../schema/ports/canary-blob.ts';
import type { Clock } from '../../../schema/ports/clock.ts';
import { storedEntries } from '../../schema/index/read-index.ts';
import { testIndex } from '../../support/postgres.ts';
import { avroBlock, avroHeader, feedRecord, MemoryFeed } from '../azure/memory-feed.ts';
import { FakeQueue } from '../fake-queue.ts';
import { runActivity, testServices } from '../test-services.ts';

const START = Date.UTC(2026, 0, 1);
const signal = new AbortController().signal;

export interface SenderWorldOptions {
  readonly sources?: Partial<Federation['sources']>;
  readonly rules?: Federation['rules'];
}

/**
 * An account whose changes a feed and triggers tell, each when the test says so; on a clock that goes on only by
 * `pass` and while somebody waits. A change is named by the minute that it was made in.
 */
export class SenderWorld implements AsyncDisposable {
  /** Minutes since the account was made. */
  minute = 0;
  readonly feed = new MemoryFeed();
  readonly queue: FakeQueue;
  /** Every canary that was written, and what the account says to one. */
  readonly canaries: string[] = [];
  canaryAnswer: () => void = () => {};
  readonly services: Services;
  readonly #closing: AsyncDisposable;
  readonly #intake: ReturnType<typeof triggerActivities>;
  readonly #tail: ReturnType<typeof feedActivities>;
  readonly #alarms = new AlarmLog({ error: () => {}, info: () => {} });

  private constructor(services: Services, closing: AsyncDisposable, clock: Clock) {
    class Queue extends FakeQueue {
      override readonly clock = clock;
    }
    this.queue = new Queue();
    const canary: CanaryBlob = {
      write: async ({ container, name }) => {
        this.canaryAnswer();
        this.canaries.push(`${container}/${name}`);
      },
    };
    this.services = { ...services, clock, canary, feed: this.feed, openTriggers: () => this.queue };
    this.#closing = closing;
    this.#intake = triggerActivities(this.services);
    this.#tail = feedActivities(this.services);
    this.feed.segment(0, 'Publishing');
    this.feed.append(this.#chunk, avroHeader());
  }

  static async open({ sources, rules }: SenderWorldOptions = {}): Promise<SenderWorld> {
    const db = await testIndex();
    const given = await testServices(db.index, {});
    const federation = federationSchema.parse({
      ...given.federation,
      sources: {
        serviceBus: { queue: 'q', namespace: 'n' },
        changeFeed: { pollSeconds: 0.1 },
        triggers: { lateLimitSeconds: 900 },
        ...sources,
      },
      ...(rules === undefined ? {} : { rules }),
    });
    const { revision } = await publishRules(db.index, given.account.id, rulesOf(federation), 'a test');
    const index = compileRules({ revision, rules: rulesOf(federation) });
    // The clock's own time is the world's.
    const time = { ms: START };
    const clock: Clock = {
      now: () => Math.round(time.ms + world.minute * 60_000),
      sleep: async (ms) => {
        await setImmediate();
        time.ms += ms;
      },
    };
    const services = { ...given, federation, rules: async () => ({ index, revision }) };
    const world: SenderWorld = new SenderWorld(services, db, clock);
    return world;
  }

  get #chunk(): string {
    return `${this.feed.shard(0)}00000.avro`;
  }

  /** The feed comes to hold changes, and its loop reads it to the end. */
  async feedTells(...minutes: readonly number[]): Promise<void> {
    if (minutes.length > 0) {
      const records = minutes.map((at) => ({ ...feedRecord(at * 60, `blob-${at}`), id: `${requestOf(at)}06a1b2` }));
      this.feed.append(this.#chunk, avroBlock(records));
    }
    await runActivity(() => this.#tail.tailFeed({ seconds: 0.3 }));
  }

  /** Triggers of changes come, and a turn of the intake takes what there is. */
  async triggersTell(...minutes: readonly number[]): Promise<void> {
    // None is told before it has happened.
    this.minute = Math.max(this.minute, ...minutes);
    this.queue.send(...minutes.map((at) => triggerOf(at, { container: 'c', name: `blob-${at}` })));
    await this.listen();
  }

  async canaryComes(at: number): Promise<void> {
    const { canary } = this.services.federation.sources;
    const key = { container: canary?.container ?? '', name: `.isthmus/canary-${this.services.federation.name}` };
    this.queue.send(triggerOf(at, key));
    await this.listen();
  }

  /** A turn of the intake. */
  async listen(): Promise<void> {
    await runActivity(() => this.#intake.receiveTriggers({ seconds: 1 }));
  }

  /** So many minutes, of which the intake listens in each. */
  async passListening(minutes: number): Promise<void> {
    for (let passed = 0; passed < minutes; passed++) {
      this.minute++;
      await this.listen();
    }
  }

  /** What any worker's monitor raises of triggers, one that has just started too. */
  async alarms(pauses: LoopPauses = {}): Promise<readonly string[]> {
    const watch = this.#watch();
    await observeSources(this.services, watch, this.#alarms, signal, pauses);
    const { index, account, clock } = this.services;
    const { sources } = await watch.glance(index.db, account, clock.now(), signal, pauses);
    return sources.flatMap(({ source, alarms }) => (source === 'trigger' ? alarms.map(({ kind }) => kind) : []));
  }

  async status() {
    const { account, federation, index, clock } = this.services;
    const open = { account, federation, index, [Symbol.asyncDispose]: async () => {} };
    const asked = { watch: this.#watch(), now: () => clock.now(), [Symbol.asyncDispose]: async () => {} };
    const output = await collectStatus(open, asked, undefined, signal);
    const alarms = output.alarms.filter(({ about }) => about === 'trigger');
    return { trigger: output.sources[0]?.triggers, alarms, lines: formatStatus(output) };
  }

  /** Value of one series; undefined where there is none. */
  async metric(series: string): Promise<number | undefined> {
    const lines = (await this.services.metrics.registry.metrics()).split('\n');
    const line = lines.find((each) => each.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  }

  async names(): Promise<readonly string[]> {
    return (await storedEntries(this.services.index, this.services.account.id)).map(({ name }) => name);
  }

  #watch(): SourceWatch {
    const { federation, feed } = this.services;
    return new SourceWatch({ federation, feed, triggers: { trigger: this.queue } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closing[Symbol.asyncDispose]();
  }
}

/** As the feed ends an event's id; Event Grid ends it in its own way. */
function requestOf(minute: number): string {
  return `5d055648-1126-4053-bc6f-${minute.toString(16).padStart(6, '0')}`;
}

function triggerOf(minute: number, key: { readonly container: string; readonly name: string }) {
  const at = minute * 60;
  return {
    id: `${requestOf(minute)}06c3d4`,
    topic: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/lake',
    subject: blobSubject(key),
    eventType: 'Microsoft.Storage.BlobCreated',
    eventTime: new Date(START + at * 1000).toISOString(),
    data: {
      ...{ api: 'PutBlob', eTag: `0x${at.toString(16)}`, contentLength: at, blobType: 'BlockBlob' },
      sequencer: at.toString(16).padStart(48, '0'),
    },
  };
}
