/**
 * Outlives a stack that was killed with SIGKILL and takes its children down.
 *
 * Reads `+PID SIGNAL` for every child that starts and `-PID` for every one that ended. When its standard input
 * ends, its parent is gone: what is left gets its stop signal, and what of its process group is there after a while SIGKILL.
 */
import { createInterface } from 'node:readline';
import { endGroups } from './end-groups.ts';

const GRACE_MS = 6_000;
const children = new Map<number, NodeJS.Signals>();

// Ctrl-C and kill are the stack's to answer: it ends this process by closing its standard input.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

for await (const line of createInterface({ input: process.stdin })) {
  const [pid, signal] = line.slice(1).split(' ');
  if (line.startsWith('+')) children.set(Number(pid), signal as NodeJS.Signals);
  else children.delete(Number(pid));
}

await endGroups(children, GRACE_MS);
