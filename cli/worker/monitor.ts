import type { Client } from '@temporalio/client';
import { AlarmLog } from '../../activities/observability/alarm.ts';
import { answerWithin } from '../../activities/observability/answer-within.ts';
import { countDeadLetters } from '../../activities/observability/count-dead-letters.ts';
import type { LoopPauses } from '../../activities/observability/loop-pause.ts';
import { alarmsOf, SourceWatch } from '../../activities/observability/source-watch.ts';
import { openDeadLetterQueue } from '../../activities/open-services.ts';
import type { Services } from '../../activities/services.ts';
import { messageOf } from '../../schema/errors.ts';
import { readAccount } from '../../schema/index/accounts.ts';
import { countLooks } from '../../schema/index/looks.ts';
import { countStubs } from '../../schema/index/stubs.ts';
import type { DeadLetterQueue } from '../../schema/ports/dead-letter-queue.ts';
import { workflowStates } from './workflow-states.ts';

const EVERY_MS = 5_000;
const LEAST_REST_MS = 1_000;
/** What has not answered by then is not seen; the glances go on. */
const ANSWER_MS = 15_000;
/** Dead letters wait for somebody anyway: they are counted at every third glance. */
const DEAD_LETTERS_EVERY = 3;

type Part = 'postgres' | 'temporal';

/**
 * Looks every few seconds at where sources, backlogs and workflows stand, and sets the gauges. It asks the
 * sources themselves for their heads, so a loop that stands still cannot hide that there is news, and it waits for
 * nobody long, so that what hangs a loop cannot hang the alarm too.
 *
 * @param onSight whether Postgres and Temporal have just answered.
 */
export async function monitor(
  services: Services,
  client: Client,
  onSight: (part: Part, answers: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  const { clock, federation, log, metrics } = services;
  await using closing = new AsyncDisposableStack();
  const { serviceBus, eventHubs } = federation.sources;
  const opened = {
    trigger: serviceBus && services.openTriggers(),
    'event-hubs': eventHubs && services.openEventHubs(),
  };
  for (const queue of Object.values(opened)) closing.defer(async () => await queue?.close().catch(() => undefined));
  const watch = new SourceWatch({ federation, feed: services.feed, triggers: opened });
  const deadLetters = openDeadLetterQueue(federation);
  closing.defer(async () => await deadLetters?.close());
  const alarms = new AlarmLog(log);
  const trouble: Partial<Record<Part, string>> = {};
  let pauses: LoopPauses = {};
  const look = async (part: Part, work: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    try {
      await answerWithin(ANSWER_MS, part, signal, work);
      metrics.glanced(part, clock.now());
      onSight(part, true);
      delete trouble[part];
    } catch (error) {
      if (signal.aborted) return;
      const message = messageOf(error);
      if (message !== trouble[part]) log.warn(`The monitor cannot see ${part}: ${message}`);
      trouble[part] = message;
      onSight(part, false);
    }
  };
  for (let glances = 0; !signal.aborted; glances++) {
    const began = clock.now();
    await Promise.all([
      look('postgres', async (within) => {
        await observeSources(services, watch, alarms, within, pauses);
        await observeBacklog(services);
      }),
      look('temporal', async () => {
        pauses = await observeWorkflows(services, client);
      }),
      glances % DEAD_LETTERS_EVERY === 0 && observeDeadLetters(services, deadLetters, signal),
    ]);
    // From one to the next: a glance that had to wait for its answers makes the next one no later.
    const took = Math.max(0, clock.now() - began);
    await clock.sleep(Math.max(LEAST_REST_MS, EVERY_MS - took), signal).catch(() => undefined);
  }
}

/** One glance at the sources: says in log and metrics what is wrong with them. */
export async function observeSources(
  services: Pick<Services, 'account' | 'clock' | 'federation' | 'index' | 'metrics'>,
  watch: SourceWatch,
  alarms: AlarmLog,
  signal: AbortSignal,
  pauses: LoopPauses,
): Promise<void> {
  const { clock, federation, index, metrics } = services;
  const account = (await readAccount(index.db, federation.account.name)) ?? services.account;
  const glance = await watch.glance(index.db, account, clock.now(), signal, pauses);
  metrics.glance(glance, alarms.observe(alarmsOf(glance), clock.now()), federation.reconcile.driftLimit);
}

/** What cannot be counted now stays as it was last seen: whoever does not answer has an alarm of its own. */
async function observeDeadLetters(
  { account, index, log, metrics }: Services,
  queue: DeadLetterQueue | undefined,
  signal: AbortSignal,
): Promise<void> {
  try {
    const counting = (within: AbortSignal) => countDeadLetters(index.db, account.id, queue, within);
    metrics.openLetters(await answerWithin(ANSWER_MS, 'the dead-letter queue', signal, counting));
  } catch (error) {
    if (!signal.aborted) log.debug(`Dead letters cannot be counted: ${messageOf(error)}`);
  }
}

async function observeBacklog({ account, index, metrics }: Services): Promise<void> {
  const stubs = Object.fromEntries((await countStubs(index.db, account.id)).map(({ sink, due }) => [sink, due]));
  metrics.backlog({ stubs, looks: await countLooks(index.db, account.id) });
}

/** @returns whose loops are paused by hand. Temporal's list has no reasons. */
async function observeWorkflows({ federation, metrics }: Services, client: Client): Promise<LoopPauses> {
  const states = await workflowStates(client, federation.name);
  metrics.paused(
    states.map(({ id, state }) => ({ workflow: id, state, paused: state === 'paused' || state === 'alarm' })),
  );
  return Object.fromEntries(states.filter(({ state }) => state === 'paused').map(({ source }) => [source, {}]));
}
