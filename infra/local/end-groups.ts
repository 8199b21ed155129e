import { setTimeout as sleep } from 'node:timers/promises';
import { sendSignal } from './send-signal.ts';

const PROBE_MS = 50;

/** How processes are told to end; tests have others. */
export interface EndingGroups {
  /** @default sendSignal */
  readonly send?: typeof sendSignal | undefined;
  readonly rest?: ((ms: number) => Promise<void>) | undefined;
}

/**
 * Sends its stop signal to the leader of each process group, and SIGKILL to what of the groups is there `graceMs` later:
 * what a leader had started may have to write down what it holds, too.
 */
export async function endGroups(
  groups: ReadonlyMap<number, NodeJS.Signals>,
  graceMs: number,
  ending: EndingGroups = {},
): Promise<void> {
  const { send = sendSignal } = ending;
  for (const [leader, signal] of groups) send(leader, signal);
  await endRests(groups.keys(), graceMs, ending);
}

/**
 * Sends SIGKILL to what of the process groups is there `graceMs` later, or once the signal aborts. A group's id is
 * its own for as long as anything is in it, and may be another's soon after: one that is gone by itself gets no signal.
 */
export async function endRests(
  groups: Iterable<number>,
  graceMs: number,
  { send = sendSignal, rest = sleep }: EndingGroups = {},
  signal?: AbortSignal,
): Promise<void> {
  const there = new Set(groups);
  for (let waited = 0; ; waited += PROBE_MS) {
    for (const group of there) if (!send(-group, 0)) there.delete(group);
    if (there.size === 0 || waited >= graceMs || signal?.aborted) break;
    await rest(PROBE_MS);
  }
  for (const group of there) send(-group, 'SIGKILL');
}
