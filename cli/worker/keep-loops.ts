import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { messageOf } from '../../schema/errors.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { endUnnamedLoops, ensureLoops } from './ensure-workflows.ts';
import { patiently } from './patiently.ts';

const EVERY_MS = 30_000;

/**
 * Sees now and then, until the signal, that a loop that was ended by hand, or lost with Temporal's own store, is started
 * again, and that one that the file names no more ends. It never gives up, and the signal ends what it asks of Temporal.
 */
export async function keepLoops(
  client: Client,
  federation: Federation,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const keep = async (): Promise<void> => {
    await ensureLoops(client, federation);
    const ended = await endUnnamedLoops(client, federation);
    if (ended.length > 0) log.warn({ ended }, 'Ended loops of what the federation file does not name.');
  };
  while (!signal.aborted) {
    try {
      await patiently('Starting the loops', { log, signal }, () => client.withAbortSignal(signal, keep));
    } catch (error) {
      if (!signal.aborted) log.error({ err: error }, `The loops are not all started: ${messageOf(error)}`);
    }
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
