import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { entryPoint } from './entry-point.ts';

/**
 * Sees to it that no child outlives this process, even where it is killed with SIGKILL: a small process of its
 * own, told of every child, which acts when the pipe from here ends.
 */
export class StackGuard {
  readonly #process: ChildProcess;

  constructor() {
    this.#process = spawn(process.execPath, [entryPoint('guard', import.meta.url)], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    // Where the guard itself is gone, stop() still stops every child.
    this.#process.stdin?.on('error', () => {});
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  watch(pid: number, stopSignal: NodeJS.Signals): void {
    this.#process.stdin?.write(`+${pid} ${stopSignal}\n`);
  }

  forget(pid: number): void {
    this.#process.stdin?.write(`-${pid}\n`);
  }

  /** Ends the guard, and with it whatever it still watches. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.stdin?.end();
    await ended;
  }
}
