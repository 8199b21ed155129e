import { setTimeout as sleep } from 'node:timers/promises';
import { azureFailure } from './azure-error.ts';

/**
 * Why a request is sent again. `throttled`: 429, 503. `server`: another 5xx, a 408. `conflict`: 409, 412. `stalled`: no
 * answer, or no byte of it, within the limit. `cut`: the connection ended before its answer did.
 */
export type RetryCause = 'throttled' | 'server' | 'conflict' | 'stalled' | 'cut';

export interface RetryOptions {
  /** Told before each new attempt. */
  readonly onRetry?: ((cause: RetryCause) => void) | undefined;
  /** How long a connection may be silent, in milliseconds. @default 10_000 */
  readonly stallMs?: number | undefined;
  /** Before the first new attempt, in milliseconds; doubled for each one after it. @default 200 */
  readonly delayMs?: number | undefined;
  /** From 0 up to 1. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/** One attempt's hold on time. */
export interface Attempt {
  /** Aborts with the caller's signal, and when the connection is silent for too long. */
  readonly signal: AbortSignal;
  /** Something has come. */
  alive(): void;
}

const ATTEMPTS = 6;
const STALL_MS = 10_000;
const DELAY_MS = 200;
const MOST_DELAY_MS = 5_000;
/** A server that asks for more patience than this is asked again by the next turn. */
const MOST_PATIENCE_MS = 30_000;

/**
 * Sends a request until it is answered, a few times. The client's own retries are turned off where this is used: it
 * waits for ever on a connection that is silent, takes a 429 for final, knows no Retry-After, and cannot send a read
 * again whose body was cut.
 *
 * @throws the last failure; at once where another attempt cannot help.
 */
export async function withRetries<T>(
  options: RetryOptions,
  signal: AbortSignal,
  work: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    signal.throwIfAborted();
    const stall = new StallGuard(options.stallMs ?? STALL_MS);
    const aborted = AbortSignal.any([signal, stall.signal]);
    try {
      return await work({ signal: aborted, alive: () => stall.alive() });
    } catch (thrown) {
      signal.throwIfAborted();
      const error = stall.signal.aborted ? stall.signal.reason : isAbort(thrown) ? cutOff(thrown) : thrown;
      const cause = stall.signal.aborted ? 'stalled' : causeOf(error);
      const patience = askedFor(error);
      if (cause === undefined || tries === ATTEMPTS || patience > MOST_PATIENCE_MS) throw error;
      options.onRetry?.(cause);
      await sleep(Math.max(patience, delayAfter(tries, options)), undefined, { signal });
    } finally {
      stall.end();
    }
  }
}

/** Aborts when nothing has come for too long: a connection whose other end is gone says nothing at all. */
class StallGuard {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(ms: number) {
    const give = () => {
      this.#abort.abort(Object.assign(new Error(`nothing came for ${ms} ms`), { code: 'ETIMEDOUT' }));
    };
    this.#timer = setTimeout(give, ms);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  alive(): void {
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** Where nobody has aborted, the client says so of a body whose connection has ended. */
function cutOff(cause: unknown): Error {
  return Object.assign(new Error('the connection ended before its answer did', { cause }), { code: 'ECONNRESET' });
}

/** @returns undefined where another attempt gets the same answer. */
function causeOf(error: unknown): RetryCause | undefined {
  const failure = azureFailure(error);
  const status = failure?.status;
  if (status === undefined) {
    // An error of the socket has a code of its own, whichever layer met it.
    return error instanceof Error && 'code' in error && typeof error.code === 'string' ? 'cut' : undefined;
  }
  if (status === 429 || status === 503) return 'throttled';
  if (status === 408 || status >= 500) return 'server';
  return (status === 409 && failure?.code !== 'ContainerBeingDeleted') || status === 412 ? 'conflict' : undefined;
}

/** What the server asked for by Retry-After, in milliseconds. */
function askedFor(error: unknown): number {
  const seconds = Number(azureFailure(error)?.retryAfter);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : 0;
}

/** Half of it by chance, so that the readers of one account do not come back together. */
function delayAfter(tries: number, { delayMs = DELAY_MS, random = Math.random }: RetryOptions): number {
  const whole = Math.min(MOST_DELAY_MS, delayMs * 2 ** (tries - 1));
  return whole * (0.5 + random() / 2);
}
