import type { FeedWriter } from './feed-writer.ts';

/** Flushes the feed again and again; a failure (Azurite is starting) is kept to be shown and tried again. */
export class FeedSchedule {
  readonly #writer: FeedWriter;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #lastError: string | undefined;

  constructor(writer: FeedWriter, flushMs: number) {
    this.#writer = writer;
    this.#timer = setInterval(() => {
      this.#running ??= this.#tick();
    }, flushMs);
  }

  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** Stops the timer and flushes once more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
    await this.#tick();
  }

  async #tick(): Promise<void> {
    try {
      await this.#writer.flush();
      this.#lastError = undefined;
    } catch (error) {
      this.#lastError = String(error);
    } finally {
      this.#running = undefined;
    }
  }
}
