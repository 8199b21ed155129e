import { fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ViewInspection } from './view-inspection.ts';

/**
 * Inspects a root in a process of its own, which is killed with the signal: a call on a mount that hangs neither
 * comes back nor lets its process end, and this one must go on. A thread would not do, since its process waits for it.
 */
export async function inspectBeside(root: string, signal: AbortSignal): Promise<ViewInspection> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<ViewInspection>();
  // Type-stripped in development, compiled when installed.
  const program = fileURLToPath(new URL(`./inspect.process${extname(import.meta.url)}`, import.meta.url));
  const child = fork(program, [root], { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let said = '';
  child.stderr?.on('data', (text) => {
    said += text;
  });
  child.once('message', (found) => resolve(found as ViewInspection));
  child.once('error', reject);
  child.once('exit', (code, killed) =>
    reject(new Error(`inspecting ${root} ended by ${killed ?? code}: ${said.slice(-500)}`)),
  );
  const leave = () => {
    child.kill('SIGKILL');
    // It may be in a call that no signal ends.
    child.unref();
    child.stderr?.destroy();
    if (child.connected) child.disconnect();
    reject(signal.reason);
  };
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
