import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { IsthmusError } from '../../schema/errors.ts';
import { encodeFile } from './encode-file.ts';
import type { FileJob, FileRead, ReportHost } from './report-host.ts';
import type { Question, ThreadMessage, ThreadOrder } from './report-thread.ts';

/** Reads files of a report, one at a time. */
export interface ReportReader extends AsyncDisposable {
  /**
   * @throws what the host failed with, as it is; else Error where the file is no file of its format, and
   * `ISTHMUS_SOURCE_UNAVAILABLE` where the reader itself came to its end.
   */
  read(job: FileJob, host: ReportHost, signal: AbortSignal): Promise<FileRead>;
}

/** Reads here: a small file takes less time than a thread to start. */
export const readHere: ReportReader = {
  read: (job, host) => encodeFile(job, host),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** Megabytes of what is young in a thread: what it reads lives for a moment. */
const YOUNG = 32;

/** Reads in a thread of its own, so that files are read side by side, and the loops of a worker go on meanwhile. */
export class ThreadReader implements ReportReader {
  readonly #worker: Worker;
  #ended = false;

  constructor() {
    // Type-stripped in development, compiled when installed.
    const url = new URL(`./report-thread${extname(import.meta.url)}`, import.meta.url);
    const resourceLimits = { maxYoungGenerationSizeMb: YOUNG };
    this.#worker = new Worker(url, { name: 'isthmus-report', execArgv: [], resourceLimits });
    // Whoever reads hears why; who comes later, that.
    this.#worker.on('error', () => {});
    this.#worker.on('exit', () => {
      this.#ended = true;
    });
  }

  async read(job: FileJob, host: ReportHost, signal: AbortSignal): Promise<FileRead> {
    const { promise, resolve, reject } = Promise.withResolvers<FileRead>();
    const worker = this.#worker;
    const order = (to: ThreadOrder, transfer: readonly ArrayBuffer[] = []) => worker.postMessage(to, [...transfer]);
    const take = (message: ThreadMessage) => {
      if ('done' in message) resolve(message.done);
      else if ('failed' in message) reject(new Error(message.failed));
      else
        answer(host, message.what)
          .then(({ value, transfer }) => order({ answer: message.ask, value }, transfer))
          .catch(reject);
    };
    const lose = (error?: unknown) => {
      const why = error instanceof Error ? `: ${error.message}` : '';
      reject(new IsthmusError('ISTHMUS_SOURCE_UNAVAILABLE', `a thread that read a report ended${why}`));
    };
    const abort = () => reject(signal.reason);
    worker.on('message', take).on('error', lose).on('exit', lose);
    signal.addEventListener('abort', abort);
    try {
      signal.throwIfAborted();
      if (this.#ended) lose();
      else order({ job });
      return await promise;
    } finally {
      worker.off('message', take).off('error', lose).off('exit', lose);
      signal.removeEventListener('abort', abort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}

async function answer(
  host: ReportHost,
  what: Question,
): Promise<{ readonly value: unknown; readonly transfer?: readonly ArrayBuffer[] }> {
  if ('stage' in what) return { value: await host.stage(what.stage) };
  if ('containers' in what) return { value: await host.containers(what.containers) };
  const bytes = await host.read(what.read.offset, what.read.length);
  // A small piece may be a part of a buffer that others use.
  const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
  return { value: own, transfer: [own.buffer] };
}
