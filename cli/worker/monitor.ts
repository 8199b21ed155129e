import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { SourceStanding } from '../../activities/observability/metrics.ts';
import { SILENCE_MS, SilenceWatch } from '../../activities/observability/silence.ts';
import type { Services } from '../../activities/services.ts';
import { countLooks } from '../../schema/index/looks.ts';
import { readSources } from '../../schema/index/sources.ts';
import { countStubs } from '../../schema/index/stubs.ts';
import { messageOf } from '../failure.ts';
import { type AskedSources, sourceHeads } from '../status/source-heads.ts';
import { workflowStates } from './workflow-states.ts';

const EVERY_MS = 5_000;

/**
 * Looks every few seconds at where sources, backlogs and workflows stand, and sets the gauges. It asks the
 * sources themselves for their heads, so a loop that stands still cannot hide that there is news.
 */
export async function monitor(services: Services, client: Client, signal: AbortSignal): Promise<void> {
  const { log } = services;
  const watch = new SilenceWatch();
  const alarmed = new Set<string>();
  let trouble: string | undefined;
  const triggers = services.federation.sources.serviceBus === undefined ? undefined : services.openTriggers();
  await using closing = new AsyncDisposableStack();
  closing.defer(async () => await triggers?.close().catch(() => undefined));
  while (!signal.aborted) {
    try {
      await observe({ ...services, triggers }, client, watch, alarmed, signal);
      trouble = undefined;
    } catch (error) {
      const message = messageOf(error);
      if (!signal.aborted && message !== trouble) log.warn(`The monitor cannot see: ${message}`);
      trouble = message;
    }
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function observe(
  services: Services & AskedSources,
  client: Client,
  watch: SilenceWatch,
  alarmed: Set<string>,
  signal: AbortSignal,
): Promise<void> {
  const { account, index, metrics, federation, log } = services;
  const now = services.clock.now();
  const rows = await readSources(index.db, account.id);
  const standings: SourceStanding[] = [];
  for (const { source, head, applied, behind, progress } of await sourceHeads(services, rows, now, signal)) {
    const silentMs = watch.observe({ source, behind: behind !== undefined, progress }, now);
    standings.push({ source, head, applied, silentMs });
    if (silentMs > SILENCE_MS && !alarmed.has(source)) {
      alarmed.add(source);
      log.error(
        { source, silentMs },
        `Alarm: ${source} has news of which nothing was taken for ${Math.round(silentMs / 1000)} s`,
      );
    } else if (silentMs === 0 && alarmed.delete(source)) log.info({ source }, `${source} is being taken again`);
  }
  metrics.standing(standings);
  const stubs = Object.fromEntries((await countStubs(index.db, account.id)).map(({ sink, due }) => [sink, due]));
  metrics.backlog({ stubs, looks: await countLooks(index.db, account.id) });
  metrics.paused(
    (await workflowStates(client, federation.name)).map(({ id, state }) => ({
      workflow: id,
      state,
      paused: state === 'paused' || state === 'alarm',
    })),
  );
}
