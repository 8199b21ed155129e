/** Sends a signal to a process, or to a group where the id is negative; 0 only looks. @returns whether it is there. */
export function sendSignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
