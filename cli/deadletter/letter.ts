import { IsthmusError } from '../../schema/errors.ts';
import { glimpse } from '../../schema/events/glimpse.ts';
import type { KeptDeadLetter, KeptOrigin } from '../../schema/index/dead-letters.ts';
import type { DeadletterLine } from '../../schema/outputs/deadletter.ts';
import type { QueuedDeadLetter } from '../../schema/ports/dead-letter-queue.ts';
import { formatTime } from '../format.ts';

/** What a letter is called: the place that keeps it, and its number there. */
export type LetterId = { readonly queued: string } | { readonly kept: number };

const PREFIX: Readonly<Record<KeptOrigin, string>> = { 'event-hubs': 'eh', 'event-grid': 'eg' };
/** Service Bus counts in 64 bits, of which one is the sign. */
const LAST_SEQUENCE = 2n ** 63n - 1n;
const EXAMPLE = 'sb-17 (Service Bus), eh-3 (Event Hubs), eg-5 (Event Grid)';

/** @throws IsthmusError `ISTHMUS_USAGE` where the text is no letter's id. */
export function parseLetterId(text: string): LetterId {
  const [, prefix, digits = ''] = /^(sb|eh|eg)-([1-9]\d{0,18})$/.exec(text) ?? [];
  if (prefix === 'sb' && BigInt(digits) <= LAST_SEQUENCE) return { queued: digits };
  if (prefix !== undefined && prefix !== 'sb' && Number.isSafeInteger(Number(digits))) return { kept: Number(digits) };
  throw new IsthmusError(
    'ISTHMUS_USAGE',
    `'${text}' is no dead letter's id: \`isthmus deadletter list\` prints them, such as ${EXAMPLE}.`,
  );
}

export function queuedId({ sequence }: Pick<QueuedDeadLetter, 'sequence'>): string {
  return `sb-${sequence}`;
}

export function keptId({ origin, id }: Pick<KeptDeadLetter, 'origin' | 'id'>): string {
  return `${PREFIX[origin]}-${id}`;
}

export function queuedLine(letter: QueuedDeadLetter): DeadletterLine {
  const { enqueuedAt, deliveryCount } = letter;
  return { id: queuedId(letter), origin: 'service-bus', ...told(letter), at: formatTime(enqueuedAt), deliveryCount };
}

export function keptLine(letter: KeptDeadLetter): DeadletterLine {
  const { origin, enqueuedAt, body } = letter;
  const deliveryCount = glimpse(body).deliveryAttempts ?? null;
  return { id: keptId(letter), origin, ...told(letter), at: formatTime(enqueuedAt), deliveryCount };
}

function told({ messageId, reason, description, body }: QueuedDeadLetter | KeptDeadLetter) {
  const { type, subject, events } = glimpse(body);
  return { messageId, reason, description, eventType: type ?? null, subject: subject ?? null, events: events ?? null };
}
