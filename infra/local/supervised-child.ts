import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, statSync, truncateSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureError, IsthmusError } from '../../schema/errors.ts';
import type { ChildEvent, ChildSpec } from './child-spec.ts';
import { endRests } from './end-groups.ts';
import { logTail } from './log-tail.ts';
import { sendSignal } from './send-signal.ts';
import type { StackGuard } from './stack-guard.ts';

const PROBE_MS = 50;
const MAX_LOG_BYTES = 20 * 1024 * 1024;
/** A start that ends this often before the child answers once is a failure, not bad luck. */
const MAX_FAILED_STARTS = 3;
const BACKOFF_MS = { first: 200, last: 5_000 } as const;
/** A child that lived this long is started again at once when it dies. */
const STEADY_MS = 20_000;

/**
 * Keeps one child process running.
 *
 * Modes: `starting` until it answers for the first time; `running`, in which a death leads to a wait (200 ms,
 * doubling to 5 s, short again after 20 s of life) and another start; `stopping`, entered by `stop` from either
 * and left never. Each child leads a process group of its own, so that Ctrl-C reaches it only through `stop`,
 * and what a dead child leaves behind in its group is killed: before it is started again, or after `restEndsWithinMs`,
 * which `stop` waits for and `force` does not.
 */
export class SupervisedChild {
  readonly spec: ChildSpec;
  readonly #guard: StackGuard;
  readonly #tell: (event: ChildEvent) => void;
  readonly #stopping = new AbortController();
  #process: ChildProcess | undefined;
  #exited: Promise<string> = Promise.resolve('');
  #isUp = false;
  #restarts = 0;
  #life: Promise<void> = Promise.resolve();
  /** What dead children left behind, each until it is gone. */
  readonly #rests = new Set<Promise<void>>();
  readonly #forced = new AbortController();

  constructor(spec: ChildSpec, guard: StackGuard, tell: (event: ChildEvent) => void) {
    this.spec = spec;
    this.#guard = guard;
    this.#tell = tell;
  }

  /** Undefined while it is down. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** How often it was started again. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Whether it has answered since its last start. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Resolves when it answers for the first time; from then on it is kept running. Rejects with the end of its log where it does not. */
  async start(): Promise<void> {
    const deadline = Date.now() + this.spec.readyWithinMs;
    for (let attempt = 1; ; attempt++) {
      await this.#spawn();
      const how = await this.#awaitReady(deadline);
      if (this.#stopping.signal.aborted) throw new Error(`${this.spec.name} was stopped while it started.`);
      if (how === 'ready') {
        this.#event('ready');
        break;
      }
      if (how === 'late' || attempt === MAX_FAILED_STARTS) throw await this.#failure(how);
      await this.#pause(BACKOFF_MS.first * attempt);
    }
    this.#life = this.#keepRunning();
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#process?.pid) sendSignal(this.#process.pid, signal);
  }

  /** Asks it to stop, then insists. Resolves when it and its process group are gone. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const child = this.#process;
    if (child?.pid) {
      sendSignal(child.pid, this.spec.stopSignal ?? 'SIGTERM');
      const stopped = await within(this.#exited, this.spec.stopWithinMs ?? 10_000);
      if (!stopped) this.force();
    }
    await this.#exited;
    await this.#life;
    await Promise.all(this.#rests);
  }

  /** SIGKILL to the whole process group, and to what is left of those before it. */
  force(): void {
    this.#stopping.abort();
    this.#forced.abort();
    if (!this.#process?.pid) return;
    this.#event('forced');
    sendSignal(-this.#process.pid, 'SIGKILL');
  }

  async #keepRunning(): Promise<void> {
    let backoff: number = BACKOFF_MS.first;
    let startedAt = Date.now();
    while (!this.#stopping.signal.aborted) {
      const how = await this.#exited;
      this.#isUp = false;
      if (this.#stopping.signal.aborted) break;
      this.#event('died', how);
      if (Date.now() - startedAt > STEADY_MS) backoff = BACKOFF_MS.first;
      await this.#pause(backoff);
      backoff = Math.min(backoff * 2, BACKOFF_MS.last);
      if (this.#stopping.signal.aborted) break;
      startedAt = Date.now();
      this.#restarts++;
      await this.#spawn().catch(() => {});
      void this.#awaitReady(Number.POSITIVE_INFINITY).then((ready) => ready === 'ready' && this.#event('restarted'));
    }
    this.#event('stopped');
  }

  async #spawn(): Promise<void> {
    const { spec } = this;
    await spec.prepare?.();
    if (this.#stopping.signal.aborted) return;
    const log = openLog(spec.log);
    try {
      const child = spawn(spec.command, spec.args, {
        detached: true,
        stdio: ['ignore', log, log],
        env: { ...process.env, ...spec.env },
        ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
        ...spec.user,
      });
      this.#process = child;
      if (child.pid) this.#guard.watch(child.pid, spec.stopSignal ?? 'SIGTERM');
      this.#exited = this.#awaitExit(child);
    } finally {
      closeSync(log);
    }
  }

  #awaitExit(child: ChildProcess): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    child.once('error', (error) => resolve(ensureError(error).message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`));
    return promise.then((how) => {
      if (child.pid) {
        const rest = this.#endRest(child.pid).finally(() => this.#rests.delete(rest));
        this.#rests.add(rest);
      }
      if (this.#process === child) this.#process = undefined;
      return how;
    });
  }

  /** SIGKILL to what a dead child had started, once that had the time to write down what it holds. */
  async #endRest(group: number): Promise<void> {
    await endRests([group], this.spec.restEndsWithinMs ?? 0, {}, this.#forced.signal);
    this.#guard.forget(group);
  }

  /** @returns `ready`, `late`, or how it died. */
  async #awaitReady(deadline: number): Promise<string> {
    const { promise: died, resolve } = Promise.withResolvers<string>();
    void this.#exited.then(resolve);
    let ended: string | undefined;
    void died.then((how) => {
      ended = how;
    });
    while (ended === undefined && !this.#stopping.signal.aborted) {
      if (Date.now() > deadline) return 'late';
      const ready = await Promise.race([this.spec.isReady().catch(() => false), died]);
      if (ready === true && ended === undefined) {
        this.#isUp = true;
        return 'ready';
      }
      await sleep(PROBE_MS);
    }
    return ended ?? 'stopped';
  }

  async #failure(how: string): Promise<Error> {
    const { name, log, failure, readyWithinMs } = this.spec;
    const what = how === 'late' ? `does not answer after ${readyWithinMs / 1000} s` : `ended at its start (${how})`;
    const tail = await logTail(log);
    return new IsthmusError(failure, `${name} ${what}. The end of its log, ${log}:\n${tail || '(nothing)'}`);
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }

  #event(kind: ChildEvent['kind'], how?: string): void {
    this.#tell({ child: this.spec.name, kind, how, at: Date.now() });
  }
}

function openLog(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MAX_LOG_BYTES) truncateSync(file);
  return openSync(file, 'a');
}

async function within(done: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(ms, false, { signal: timer.signal }).catch(() => false);
  const first = await Promise.race([done.then(() => true), late]);
  timer.abort();
  return first;
}
