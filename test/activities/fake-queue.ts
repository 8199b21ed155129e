import type { Clock } from '../../schema/ports/clock.ts';
import type { TriggerMessage, TriggerQueue } from '../../schema/ports/trigger-queue.ts';
import { idleClock } from '../support/idle-clock.ts';

/** A queue in memory that keeps what was done to it, in order. Whoever waits for it lets time pass by its clock. */
export class FakeQueue implements TriggerQueue {
  readonly clock: Clock;
  readonly done: string[] = [];
  onComplete: () => Promise<void> = async () => {};
  #waiting: TriggerMessage[] = [];

  constructor(clock: Clock = idleClock()) {
    this.clock = clock;
  }

  send(...bodies: readonly unknown[]): void {
    for (const [at, body] of bodies.entries()) {
      const id = `m${at + 1}`;
      this.#waiting.push({ id, body, enqueuedAt: Date.now(), deliveryCount: 1 });
    }
  }

  async receive(max: number, waitMs: number): Promise<readonly TriggerMessage[]> {
    if (this.#waiting.length === 0) await this.clock.sleep(waitMs);
    return this.#waiting.splice(0, max);
  }

  async complete(messages: readonly TriggerMessage[]): Promise<void> {
    await this.onComplete();
    for (const { id } of messages) this.done.push(`complete ${id}`);
  }

  async abandon(messages: readonly TriggerMessage[]): Promise<void> {
    for (const { id } of messages) this.done.push(`abandon ${id}`);
  }

  async deadLetter({ id }: TriggerMessage, reason: string): Promise<void> {
    this.done.push(`dead-letter ${id} ${reason}`);
  }

  async oldest(): Promise<number | undefined> {
    return this.#waiting[0]?.enqueuedAt;
  }

  async close(): Promise<void> {
    this.done.push('close');
  }
}
