import { setTimeout as sleep } from 'node:timers/promises';

const PROBE_MS = 50;

/** How processes are told to end; tests have others. */
export interface EndingGroups {
  /** Sends a signal to a process, or to a group where the id is negative; 0 only looks. @returns whether it is there. */
  readonly send: (pid: number, signal: NodeJS.Signals | 0) => boolean;
  readonly rest?: ((ms: number) => Promise<void>) | undefined;
}

/**
 * Sends its stop signal to the leader of each process group, and SIGKILL to what of the groups is there `graceMs` later:
 * what a leader had started may have to write down what it holds, too. A group that is gone gets no signal any more, as its
 * id may be another's by then.
 */
export async function endGroups(
  groups: ReadonlyMap<number, NodeJS.Signals>,
  graceMs: number,
  { send, rest = sleep }: EndingGroups,
): Promise<void> {
  for (const [leader, signal] of groups) send(leader, signal);
  const there = new Set(groups.keys());
  for (let waited = 0; ; waited += PROBE_MS) {
    for (const group of there) if (!send(-group, 0)) there.delete(group);
    if (there.size === 0 || waited >= graceMs) break;
    await rest(PROBE_MS);
  }
  for (const group of there) send(-group, 'SIGKILL');
}
