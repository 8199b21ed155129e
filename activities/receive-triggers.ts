import { Context } from '@temporalio/activity';
import type { Timestamp } from '../namespace/entry.ts';
import { ensureError, hasCode, IsthmusError } from '../schema/errors.ts';
import type { PageCounts } from '../schema/index/apply-events.ts';
import { type SourceReport, upsertSource } from '../schema/index/sources.ts';
import { readTriggerTrust } from '../schema/index/trigger-trust.ts';
import type { Activities, TriggerTurn } from '../schema/inputs/activities.ts';
import type { TriggerMessage, TriggerQueue } from '../schema/ports/trigger-queue.ts';
import { applyBatch } from './apply-batch.ts';
import { applyUnderRules } from './apply-under-rules.ts';
import { readBatch, type TriggerBatch } from './azure/trigger-batch.ts';
import { heartbeats } from './heartbeat.ts';
import { quietly } from './quietly.ts';
import type { Services } from './services.ts';
import { TrustWatch } from './trust-watch.ts';
import { wantReconcile } from './want-reconcile.ts';

/** Messages applied in one transaction. */
const BATCH = 500;
const WAIT_MS = 1_000;
/** The queue is kept open between turns; where no turn comes for this long, what it holds is given back. */
const IDLE_MS = 15_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 3_000;

type Counts = { -readonly [Name in keyof TriggerTurn]: number };

/**
 * Takes triggers off the queue: decode, apply in one transaction, settle once it has committed (invariant 4). While
 * the index cannot be written, the messages stay held under their locks and are tried again; they are given back
 * only when the turn is cancelled or the process ends. Where triggers are distrusted, their messages are taken and
 * completed all the same: a queue that nobody empties would fill, and tell nothing that the feed does not bring.
 */
export function triggerActivities(services: Services): Pick<Activities, 'receiveTriggers'> {
  const { account, clock, index, log } = services;
  const trust = new TrustWatch(services);
  let queue: TriggerQueue | undefined;
  let idle: NodeJS.Timeout | undefined;
  /** Received by an earlier turn that ended before they could be applied. */
  let unapplied: readonly TriggerMessage[] = [];

  async function closeQueue(): Promise<void> {
    clearTimeout(idle);
    const closing = queue;
    const back = unapplied;
    queue = undefined;
    unapplied = [];
    if (closing === undefined) return;
    await closing.abandon(back).catch(() => {});
    await closing.close().catch(() => {});
  }

  function apply(batch: TriggerBatch): Promise<PageCounts> {
    const newest = batch.events.reduce<Timestamp | undefined>(
      (max, { time }) => Math.max(max ?? time, time),
      undefined,
    );
    return applyUnderRules(services, async (tx, scope) => {
      const counts = await applyBatch(tx, scope, batch);
      const distrusted = (counts.ignored.distrusted ?? 0) > 0;
      // Where they are distrusted too: it tells that the queue is taken from, and by it a silent feed is noticed.
      await upsertSource(tx, { ...standing(account.id, distrusted), head: newest, applied: newest });
      return counts;
    });
  }

  /** Tries until it is applied, the turn is over, or trying again cannot help. */
  async function applyPatiently(batch: TriggerBatch, until: Timestamp, signal: AbortSignal): Promise<PageCounts> {
    for (let delay = FIRST_RETRY_MS; ; delay = Math.min(LAST_RETRY_MS, delay * 2)) {
      try {
        return await apply(batch);
      } catch (error) {
        signal.throwIfAborted();
        const hopeless = error instanceof IsthmusError && error.consequence !== 'retry';
        if (hopeless || clock.now() >= until) throw error;
        log.warn(
          { messages: batch.good.length, error: ensureError(error).message },
          'triggers are held until the index takes them',
        );
        await clock.sleep(delay, signal);
      }
    }
  }

  async function settle(from: TriggerQueue, batch: TriggerBatch): Promise<void> {
    const again = new Set<TriggerMessage>();
    for (const { message, run } of batch.completed) {
      try {
        await wantReconcile(services, run);
      } catch (error) {
        log.warn({ rule: run.rule, error: ensureError(error).message }, 'a reconcile could not be asked for');
        again.add(message);
      }
    }
    await Promise.all([
      from.complete(batch.good.filter((message) => !again.has(message))),
      from.abandon([...again]),
      ...batch.deadLetters.map(({ message, reason, description }) => from.deadLetter(message, reason, description)),
    ]);
  }

  function count(counts: Counts, batch: TriggerBatch, page: PageCounts): void {
    counts.messages += batch.good.length + batch.deadLetters.length;
    counts.applied += page.applied;
    counts.superseded += page.superseded;
    counts.ignored += Object.values(page.ignored).reduce((sum, each) => sum + each, 0);
    const deadLettered = batch.deadLetters.reduce((sum, { events }) => sum + events, 0);
    counts.deadLettered += deadLettered;
    const { applied, superseded } = page;
    const outcomes = { ...page.ignored, applied, superseded, 'dead-lettered': deadLettered };
    services.metrics.page('trigger', outcomes, page.looks);
    for (const { message, reason, description } of batch.deadLetters) {
      log.warn({ messageId: message.id, reason, description }, 'a message was dead-lettered');
    }
  }

  async function work(from: TriggerQueue, counts: Counts, until: Timestamp, signal: AbortSignal): Promise<void> {
    let settling = Promise.resolve();
    try {
      while (clock.now() < until && !signal.aborted) {
        const wait = Math.min(WAIT_MS, Math.max(0, until - clock.now()));
        const messages = unapplied.length > 0 ? unapplied : await from.receive(BATCH, wait, signal);
        if (messages.length === 0) continue;
        unapplied = messages;
        const batch = readBatch(messages, account.name);
        const page = await applyPatiently(batch, until, signal);
        unapplied = [];
        count(counts, batch, page);
        // The next batch is received and applied while this one is settled.
        await settling;
        settling = settle(from, batch);
        await trust.seen(page);
      }
    } finally {
      await settling;
    }
  }

  return {
    async receiveTriggers({ seconds }) {
      const signal = Context.current().cancellationSignal;
      const until = clock.now() + seconds * 1000;
      const counts: Counts = { messages: 0, applied: 0, superseded: 0, ignored: 0, deadLettered: 0 };
      using _heartbeats = heartbeats(() => counts);
      clearTimeout(idle);
      try {
        const { distrustedAt } = await readTriggerTrust(index.db, account.id);
        await upsertSource(index.db, standing(account.id, distrustedAt !== undefined));
        queue ??= services.openTriggers();
        const from = queue;
        await quietly(signal, () => work(from, counts, until, signal));
        await trust.flush();
      } catch (error) {
        if (hasCode(error, 'ISTHMUS_SOURCE_UNAVAILABLE')) {
          const reason = ensureError(error).message;
          await upsertSource(index.db, { accountId: account.id, source: 'trigger', state: 'unavailable', reason });
          await closeQueue();
        }
        throw error;
      } finally {
        if (signal.aborted) await closeQueue();
        else idle = setTimeout(() => void closeQueue(), IDLE_MS).unref();
      }
      return counts;
    },
  };
}

function standing(accountId: number, distrusted: boolean): SourceReport {
  const receiving = { accountId, source: 'trigger' } as const;
  if (!distrusted) return { ...receiving, state: 'receiving' };
  const reason = 'triggers print other sequencers than the feed: they are completed without being applied';
  return { ...receiving, state: 'distrusted', reason };
}
