import { z } from 'zod';
import type { Timestamp } from '../../namespace/entry.ts';

/** One event of a blob of Event Grid's dead-letter container. */
export interface DeadLetterEvent {
  /** The event as it was to be delivered, with what Event Grid added. */
  readonly event: unknown;
  /** When it was last tried; where that is not said, when it was published; else undefined. */
  readonly triedAt: Timestamp | undefined;
  readonly deliveryAttempts: number;
}

/** What Event Grid adds to an event that it gave up on, in its own schema and, in lower case, to a CloudEvent. */
const added = z.object({
  deliveryAttempts: z.int().min(0).optional().catch(undefined),
  deliveryattempts: z.int().min(0).optional().catch(undefined),
  lastDeliveryAttemptTime: z.string().optional().catch(undefined),
  lastdeliveryattempttime: z.string().optional().catch(undefined),
  publishTime: z.string().optional().catch(undefined),
  publishtime: z.string().optional().catch(undefined),
});

/**
 * The events of such a blob: a JSON array, or one event alone. None is judged here, so that one that cannot be read
 * does not hold back those beside it.
 *
 * @returns undefined where the blob as a whole is no JSON: it was cut off, or is no dead letter.
 */
export function readDeadLetterEvents(bytes: Uint8Array): readonly DeadLetterEvent[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  const events: readonly unknown[] = Array.isArray(value) ? value : [value];
  return events.map((event) => {
    const said = added.safeParse(event).data;
    const tried = said?.lastDeliveryAttemptTime ?? said?.lastdeliveryattempttime;
    return {
      event,
      triedAt: timeOf(tried) ?? timeOf(said?.publishTime ?? said?.publishtime),
      deliveryAttempts: said?.deliveryAttempts ?? said?.deliveryattempts ?? 0,
    };
  });
}

function timeOf(text: string | undefined): Timestamp | undefined {
  const time = Date.parse(text ?? '');
  return Number.isFinite(time) ? time : undefined;
}
