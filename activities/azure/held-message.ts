import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import type { TriggerMessage } from '../../schema/ports/trigger-queue.ts';

/** Renewed when a third of the lock is over, within these bounds: clocks differ. */
const SOONEST_MS = 500;
const LATEST_MS = 20_000;

/** One message that this process has under a lock. */
export class HeldMessage {
  readonly received: ServiceBusReceivedMessage;
  readonly trigger: TriggerMessage;
  /** Makes room for another message in its place; again, it does nothing. */
  readonly release: () => void;
  /** The lock has ended: the message comes again, to whomever. */
  lost = false;
  #renewAt: number;

  constructor(received: ServiceBusReceivedMessage, release: () => void, now: number) {
    this.received = received;
    this.release = release;
    this.#renewAt = renewTime(received.lockedUntilUtc, now);
    this.trigger = {
      id: String(received.messageId ?? received.sequenceNumber ?? ''),
      body: received.body,
      enqueuedAt: received.enqueuedTimeUtc?.getTime() ?? now,
      deliveryCount: (received.deliveryCount ?? 0) + 1,
    };
  }

  isDue(now: number): boolean {
    return now >= this.#renewAt;
  }

  renewed(until: Date, now: number): void {
    this.#renewAt = renewTime(until, now);
  }

  /** The lock is being renewed, or cannot be now: nothing is asked again for a while. */
  notRenewed(now: number): void {
    this.#renewAt = now + LATEST_MS;
  }
}

function renewTime(until: Date | undefined, now: number): number {
  const left = (until?.getTime() ?? now) - now;
  return now + Math.min(LATEST_MS, Math.max(SOONEST_MS, left / 3));
}
