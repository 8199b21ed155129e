import type { Timestamp } from '../../namespace/entry.ts';
import { IsthmusError, messageOf } from '../../schema/errors.ts';
import type { PageCounts } from '../../schema/index/apply-events.ts';
import type { DeadLetterOrigin } from '../../schema/index/dead-letters.ts';
import { type SourceReport, type TriggerSource, upsertSource } from '../../schema/index/sources.ts';
import type { TriggerTurn } from '../../schema/inputs/activities.ts';
import { type TriggerMessage, type TriggerQueue, TriggersLost } from '../../schema/ports/trigger-queue.ts';
import { applyBatch } from '../apply-batch.ts';
import { applyUnderRules } from '../apply-under-rules.ts';
import { readBatch, type TriggerBatch } from '../azure/trigger-batch.ts';
import { noteDeadLetters } from '../dead-letters/note-dead-letters.ts';
import type { Services } from '../services.ts';
import { TrustWatch } from '../trust-watch.ts';
import { wantReconcile } from '../want-reconcile.ts';
import { writeCanary } from './canary.ts';
import { ReceivedTriggers } from './received-triggers.ts';
import { settleBatch } from './settle-batch.ts';
import { Slowing } from './slowing.ts';

/** Messages applied in one transaction. */
const BATCH = 1_000;
/** Batches at a time: while Postgres works for one, another is decoded. */
const AT_ONCE = 2;
const WAIT_MS = 1_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 3_000;
/** Other accounts that are told of in the log. */
const STRANGERS = 100;

export type TriggerCounts = { -readonly [Name in keyof TriggerTurn]: TriggerTurn[Name] };

interface Turn {
  readonly counts: TriggerCounts;
  readonly until: Timestamp;
  readonly signal: AbortSignal;
  /** Batches that are being applied. */
  readonly applying: Set<Promise<void>>;
  /** Batches that are being settled; no other waits for them. */
  readonly settling: Set<Promise<void>>;
  readonly trouble: unknown[];
}

/**
 * Takes triggers off one open queue: a batch is decoded, applied in one transaction, and settled once that has
 * committed (invariant 4).
 *
 * Idle: the queue is waited for. Busy: up to two batches are being applied, a second only where the one before was full, so
 * that messages gather while there are few; those that are committed are being settled meanwhile. Held: the index cannot be
 * written, or Temporal takes no wish; its batches stay under their locks and are tried again, and nothing more is
 * received. Slowed: see `Slowing`. Ending: the time is up, the turn was cancelled, or trying again cannot help; what is
 * under way is finished, and what could not be applied is kept for the next turn.
 */
export class TriggerIntake {
  readonly #services: Services;
  readonly #source: TriggerSource;
  readonly #from: TriggerQueue;
  readonly #trust: TrustWatch;
  readonly #received: ReceivedTriggers;
  readonly #slowing: Slowing;
  /** Received by an earlier turn that ended before they could be applied. */
  #unapplied: (readonly TriggerMessage[])[] = [];
  /** Said once in the life of an intake. */
  readonly #strangers = new Set<string>();

  constructor(services: Services, source: TriggerSource, from: TriggerQueue) {
    this.#services = services;
    this.#source = source;
    this.#from = from;
    this.#trust = new TrustWatch(services);
    this.#received = new ReceivedTriggers(services, source);
    this.#slowing = new Slowing(services, source);
  }

  async run(counts: TriggerCounts, until: Timestamp, signal: AbortSignal): Promise<void> {
    const { clock } = this.#services;
    await this.#received.listening();
    const canary = writeCanary(this.#services, this.#source, signal);
    const turn: Turn = { counts, until, signal, applying: new Set(), settling: new Set(), trouble: [] };
    try {
      while (clock.now() < until && !signal.aborted && turn.trouble.length === 0) {
        await this.#slowing.pause(signal);
        const messages = await this.#next(turn);
        if (messages.length === 0 && turn.applying.size === 0) await this.#slowing.observe(0);
        if (messages.length > 0) this.#begin(turn.applying, turn, () => this.#take(messages, turn));
        // Fewer than would fit: nothing waits, and what comes meanwhile is gathered.
        if (messages.length < BATCH) await Promise.all(turn.applying);
        else if (turn.applying.size >= this.#atOnce) await Promise.race(turn.applying);
      }
    } finally {
      await Promise.all(turn.applying);
      await Promise.all(turn.settling);
      await canary;
      counts.slowed = this.#slowing.reason;
    }
    if (turn.trouble.length > 0) throw turn.trouble[0];
  }

  /** Writes down what was counted and not yet written. */
  async flush(): Promise<void> {
    await this.#trust.flush();
    await this.#received.flush();
  }

  /** Gives back what is held. */
  async close(): Promise<void> {
    const back = this.#unapplied.flat();
    this.#unapplied = [];
    await this.#from.abandon(back).catch(() => {});
    await this.#from.close().catch(() => {});
  }

  get #origin(): DeadLetterOrigin {
    return this.#source === 'trigger' ? 'service-bus' : this.#source;
  }

  /** A place that is moved by compare-and-set is moved by one batch after the other. */
  get #atOnce(): number {
    return this.#from.commit !== undefined || this.#slowing.indexIsSlow ? 1 : AT_ONCE;
  }

  async #next({ until, signal }: Turn): Promise<readonly TriggerMessage[]> {
    const kept = this.#unapplied.shift();
    if (kept !== undefined) return kept;
    const wait = Math.min(WAIT_MS, Math.max(0, until - this.#services.clock.now()));
    return await this.#from.receive(BATCH, wait, signal);
  }

  #begin(set: Set<Promise<void>>, turn: Turn, work: () => Promise<void>): void {
    const done = work()
      .catch((error: unknown) => void turn.trouble.push(error))
      .finally(() => set.delete(done));
    set.add(done);
  }

  async #take(messages: readonly TriggerMessage[], turn: Turn): Promise<void> {
    const { account, clock, metrics } = this.#services;
    const batch = readBatch(messages, account);
    const began = clock.now();
    let page: PageCounts | 'lost';
    try {
      page = await this.#applyPatiently(messages, batch, turn);
    } catch (error) {
      this.#unapplied.push(messages);
      throw error;
    }
    if (page === 'lost') return;
    const ms = clock.now() - began;
    this.#count(turn.counts, batch, page);
    metrics.triggerBatch(messages.length, ms / 1_000);
    this.#begin(turn.settling, turn, () => settleBatch(this.#services, this.#from, batch));
    await this.#trust.seen(page);
    await this.#received.seen(batch);
    await this.#slowing.observe(ms);
  }

  /** Tries until it is applied, the turn is over, or trying again cannot help. */
  async #applyPatiently(
    messages: readonly TriggerMessage[],
    batch: TriggerBatch,
    { until, signal }: Turn,
  ): Promise<PageCounts | 'lost'> {
    const { clock, log } = this.#services;
    // Where the place moves with the effect, nothing comes again after the commit, and a wish would be lost with this
    // process: it is told before. One that is told twice changes nothing.
    let isWished = this.#from.commit === undefined;
    for (let delay = FIRST_RETRY_MS; ; delay = Math.min(LAST_RETRY_MS, delay * 2)) {
      try {
        if (!isWished) for (const { run } of batch.completed) await wantReconcile(this.#services, run);
        isWished = true;
        return await this.#apply(messages, batch);
      } catch (error) {
        if (error instanceof TriggersLost) {
          log.info({ source: this.#source }, error.message);
          return 'lost';
        }
        signal.throwIfAborted();
        const hopeless = error instanceof IsthmusError && error.consequence !== 'retry';
        if (hopeless || clock.now() >= until) throw error;
        const what = isWished ? 'the index takes them' : 'the reconcile that they tell of has been asked for';
        log.warn({ messages: messages.length, error: messageOf(error) }, `triggers are held until ${what}`);
        await clock.sleep(delay, signal);
      }
    }
  }

  #apply(messages: readonly TriggerMessage[], batch: TriggerBatch): Promise<PageCounts> {
    const letters = batch.deadLetters.map(({ message, ...told }) => ({ ...told, messageId: message.id }));
    // None is further than now, whatever an event says.
    const now = this.#services.clock.now();
    const newest = [...batch.events, ...batch.subtrees].reduce<Timestamp | undefined>(
      (max, { time }) => Math.max(max ?? 0, Math.min(time, now)),
      undefined,
    );
    return applyUnderRules(this.#services, async (tx, scope) => {
      const counts = await applyBatch(tx, scope, batch);
      await noteDeadLetters(tx, scope.account.id, this.#origin, letters);
      await this.#from.commit?.(tx, messages, batch.deadLetters);
      const distrusted = (counts.ignored.distrusted ?? 0) > 0;
      // Where they are distrusted too: it tells that the queue is taken from, and by it a silent feed is noticed.
      await upsertSource(tx, { ...this.standing(distrusted), head: newest, applied: newest });
      return counts;
    });
  }

  /** What is said of the source in the index. */
  standing(distrusted: boolean): SourceReport {
    const source = { accountId: this.#services.account.id, source: this.#source };
    if (distrusted) {
      const reason = 'triggers print other sequencers than the feed: they are completed without being applied';
      return { ...source, state: 'distrusted', reason };
    }
    return { ...source, state: 'receiving', reason: this.#slowing.reason };
  }

  #count(counts: TriggerCounts, batch: TriggerBatch, page: PageCounts): void {
    const { log, metrics } = this.#services;
    counts.messages += batch.good.length + batch.deadLetters.length;
    counts.applied += page.applied;
    counts.superseded += page.superseded;
    counts.ignored += Object.values(page.ignored).reduce((sum, each) => sum + each, 0);
    const deadLettered = batch.deadLetters.reduce((sum, { events }) => sum + events, 0);
    counts.deadLettered += deadLettered;
    const { applied, superseded } = page;
    const outcomes = { ...page.ignored, applied, superseded, 'dead-lettered': deadLettered };
    metrics.page(this.#source, outcomes, page.looks);
    for (const { message, reason, description } of batch.deadLetters) {
      metrics.deadLetter(this.#origin, reason);
      log.warn({ messageId: message.id, reason, description }, 'a message was dead-lettered');
    }
    for (const description of batch.strangers) {
      if (this.#strangers.has(description) || this.#strangers.size >= STRANGERS) continue;
      this.#strangers.add(description);
      log.warn(
        { description },
        'events of another account come here, and are ignored: let the subscription leave them out',
      );
    }
  }
}
