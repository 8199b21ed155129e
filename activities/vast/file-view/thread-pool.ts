import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { assert, IsthmusError } from '../../../schema/errors.ts';
import type { ViewSettings } from './settings.ts';
import type { ViewAnswers, ViewJob, ViewRunner } from './view-port.ts';
import type { ThreadAnswer, ThreadStart } from './view-thread.ts';

interface Waiting {
  readonly job: ViewJob;
  resolve(answer: never): void;
  reject(error: Error): void;
}

interface Thread {
  readonly worker: Worker;
  /** From 0; no other that runs has it. */
  readonly number: number;
  /** The list that the thread is at; empty where it is idle. */
  working: readonly Waiting[];
}

/** Jobs that travel together: one message costs as much as half a stub. */
const BATCH = 16;

/**
 * Threads that write a view with blocking calls, so that a slow mount never holds up this process' event loop,
 * and a stub costs no trip through it per step. Each thread is at one list of jobs; the others wait in order.
 * A thread that dies takes its list down with it (as `ISTHMUS_SINK`) and is replaced by the next job.
 */
export class ThreadPool implements ViewRunner {
  readonly #settings: ViewSettings;
  readonly #size: number;
  readonly #threads = new Set<Thread>();
  #queue: Waiting[] = [];
  #closed = false;
  #scheduled = false;

  constructor(settings: ViewSettings, size: number) {
    this.#settings = settings;
    this.#size = size;
  }

  run<Job extends ViewJob>(job: Job): Promise<ViewAnswers[Job['op']]> {
    if (this.#closed) return Promise.reject(new IsthmusError('ISTHMUS_SINK', 'the sink is closed'));
    const { promise, resolve, reject } = Promise.withResolvers<ViewAnswers[Job['op']]>();
    this.#queue.push({ job, resolve, reject });
    this.#schedule();
    return promise;
  }

  /** Waits for no job: those under way fail. Their files are whole, for each is put in place by one rename. */
  async close(): Promise<void> {
    this.#closed = true;
    const threads = [...this.#threads];
    this.#fail(this.#queue.splice(0), 'the sink was closed');
    await Promise.all(threads.map((thread) => thread.worker.terminate()));
  }

  /** At the end of this turn of the event loop, so that jobs asked for together travel together. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#hand();
    });
  }

  #hand(): void {
    while (this.#queue.length > 0 && !this.#closed) {
      const thread = this.#idle();
      if (thread === undefined) return;
      // Spread what is there over all threads before any gets a long list.
      const share = Math.min(BATCH, Math.ceil(this.#queue.length / this.#size));
      thread.working = this.#queue.splice(0, share);
      thread.worker.ref();
      thread.worker.postMessage(thread.working.map((waiting) => waiting.job));
    }
  }

  #idle(): Thread | undefined {
    for (const thread of this.#threads) if (thread.working.length === 0) return thread;
    return this.#threads.size < this.#size ? this.#start() : undefined;
  }

  #start(): Thread {
    // Type-stripped in development, compiled when installed.
    const url = new URL(`./view-thread${extname(import.meta.url)}`, import.meta.url);
    const taken = new Set(Array.from(this.#threads, ({ number }) => number));
    let number = 0;
    while (taken.has(number)) number++;
    const workerData: ThreadStart = { settings: this.#settings, thread: number };
    const worker = new Worker(url, { workerData, name: 'isthmus-view', execArgv: [] });
    const thread: Thread = { worker, number, working: [] };
    this.#threads.add(thread);
    worker.unref();
    worker.on('message', (answers: readonly ThreadAnswer[]) => this.#settle(thread, answers));
    worker.on('error', (error) => this.#lose(thread, error.message));
    worker.on('exit', () => this.#lose(thread, 'its thread ended'));
    return thread;
  }

  #settle(thread: Thread, answers: readonly ThreadAnswer[]): void {
    const settled = thread.working;
    thread.working = [];
    thread.worker.unref();
    settled.forEach((waiting, at) => {
      const answer = answers[at];
      assert(answer !== undefined, 'a view thread answered fewer jobs than it was given');
      if ('error' in answer) waiting.reject(new IsthmusError('ISTHMUS_SINK', answer.error));
      else waiting.resolve(answer.answer as never);
    });
    this.#hand();
  }

  #lose(thread: Thread, reason: string): void {
    if (!this.#threads.delete(thread)) return;
    this.#fail(thread.working, reason);
    this.#schedule();
  }

  #fail(waiting: readonly Waiting[], reason: string): void {
    for (const { reject } of waiting) reject(new IsthmusError('ISTHMUS_SINK', `a write was broken off: ${reason}`));
  }
}
