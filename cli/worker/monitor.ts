import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { SourceStanding } from '../../activities/observability/metrics.ts';
import { SILENCE_MS, SilenceWatch } from '../../activities/observability/silence.ts';
import type { Services } from '../../activities/services.ts';
import { readAccount } from '../../schema/index/accounts.ts';
import { countLooks } from '../../schema/index/looks.ts';
import { readSources } from '../../schema/index/sources.ts';
import { countStubs } from '../../schema/index/stubs.ts';
import { messageOf } from '../failure.ts';
import { type AskedSources, sourceHeads } from '../status/source-heads.ts';
import { workflowStates } from './workflow-states.ts';

const EVERY_MS = 5_000;

type Part = 'postgres' | 'temporal';

/**
 * Looks every few seconds at where sources, backlogs and workflows stand, and sets the gauges. It asks the
 * sources themselves for their heads, so a loop that stands still cannot hide that there is news.
 *
 * @param onSight whether Postgres and Temporal have just answered.
 */
export async function monitor(
  services: Services,
  client: Client,
  onSight: (part: Part, answers: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  const { federation, log } = services;
  const triggers = federation.sources.serviceBus === undefined ? undefined : services.openTriggers();
  await using closing = new AsyncDisposableStack();
  closing.defer(async () => await triggers?.close().catch(() => undefined));
  const asked = { ...services, triggers };
  const alarms = new Alarms();
  const trouble: Partial<Record<Part, string>> = {};
  const look = async (part: Part, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
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
  while (!signal.aborted) {
    await Promise.all([
      look('postgres', () => observeIndex(asked, alarms, signal)),
      look('temporal', () => observeWorkflows(services, client)),
    ]);
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function observeIndex(services: Services & AskedSources, alarms: Alarms, signal: AbortSignal): Promise<void> {
  const { clock, federation, index, metrics } = services;
  const account = (await readAccount(index.db, federation.account.name)) ?? services.account;
  const rows = await readSources(index.db, account.id);
  const heads = await sourceHeads({ ...services, account }, rows, clock.now(), signal);
  metrics.standing(heads.map((head) => alarms.judge(head, services)));
  const stubs = Object.fromEntries((await countStubs(index.db, account.id)).map(({ sink, due }) => [sink, due]));
  metrics.backlog({ stubs, looks: await countLooks(index.db, account.id) });
}

async function observeWorkflows({ federation, metrics }: Services, client: Client): Promise<void> {
  const states = await workflowStates(client, federation.name);
  metrics.paused(
    states.map(({ id, state }) => ({ workflow: id, state, paused: state === 'paused' || state === 'alarm' })),
  );
}

/** Raises an alarm in the log once for each silence, and says when it is over (invariant 9). */
class Alarms {
  readonly #watch = new SilenceWatch();
  readonly #raised = new Set<string>();

  judge(
    head: Awaited<ReturnType<typeof sourceHeads>>[number],
    { clock, log }: Pick<Services, 'clock' | 'log'>,
  ): SourceStanding {
    const { source, head: newest, applied, behind, progress } = head;
    const silentMs = this.#watch.observe({ source, behind: behind !== undefined, progress }, clock.now());
    if (silentMs > SILENCE_MS && !this.#raised.has(source)) {
      this.#raised.add(source);
      log.error({ source, silentMs }, `Alarm: ${source}: ${behind}, and nothing was taken for a minute`);
    } else if (silentMs === 0 && this.#raised.delete(source)) log.info({ source }, `${source} is being taken again`);
    return { source, head: newest, applied, silentMs };
  }
}
