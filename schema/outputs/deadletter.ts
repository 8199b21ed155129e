import { z } from 'zod';
import { count, time } from './time.ts';

const letter = {
  id: z.string().describe('What show, replay and discard take.'),
  origin: z
    .enum(['service-bus', 'event-hubs', 'event-grid'])
    .describe(
      "Of the Service Bus queue's own dead-letter queue, of Event Hubs, or of Event Grid's dead-letter container.",
    ),
  at: time.describe('When it was sent, or last tried, as far as its source says.'),
  reason: z.string(),
  description: z.string(),
  eventType: z.string().nullable().describe('Of its first event, where it can be read.'),
  subject: z.string().nullable().describe('Of its first event, where it can be read.'),
  events: count.nullable().describe('How many events it holds; null where it is no JSON.'),
  deliveryCount: count
    .nullable()
    .describe(
      'How often it was delivered, or Event Grid tried to: also the last time, after which it was a dead letter. Null where its source does not say.',
    ),
  messageId: z.string(),
};

/** One line of `isthmus deadletter list --json`. */
export const deadletterLine = z.object(letter);
export type DeadletterLine = z.output<typeof deadletterLine>;

const entry = z.object({
  container: z.string(),
  name: z.string(),
  effect: z.string().describe('What the event says of it: put, delete, or touch, which is looked at.'),
  live: z.boolean().describe('Whether the index has it now.'),
  etag: z.string().nullable(),
  bytes: count.nullable(),
  source: z.string().nullable().describe('What put the entry in its state.'),
  stub: z.string().nullable(),
});

/** `isthmus deadletter show --json`. */
export const deadletterShow = z.object({
  ...letter,
  state: z.enum(['open', 'replayed', 'discarded']),
  discarded: z
    .object({ at: time, why: z.string() })
    .nullable()
    .describe('When and why an operator discarded it; null: nobody did, or the journal of that time is purged.'),
  body: z.string().describe('As text, or in base64 where it is none.'),
  bodyIs: z.enum(['text', 'base64']),
  replay: z
    .object({
      refused: z
        .object({ reason: z.string(), description: z.string() })
        .nullable()
        .describe('Why it could not be applied now; null where it could.'),
      applied: count,
      superseded: count,
      ignored: count,
      looks: count,
      also: z
        .array(z.string())
        .describe('What it says beside changes of blobs, in words: a directory, a report; at most twenty.'),
      entries: z.array(entry).describe('What it concerns, as the index has it now; at most twenty.'),
    })
    .describe('What would come of it if it were replayed now.'),
});
export type DeadletterShow = z.output<typeof deadletterShow>;

/** One line of `isthmus deadletter replay --json` and of `isthmus deadletter discard --json`. */
export const deadletterOutcome = z.object({
  id: z.string(),
  outcome: z
    .enum(['requeued', 'applied', 'discarded', 'stays', 'held', 'gone'])
    .describe(
      'requeued: it is in the queue again; applied: its events are; discarded: it is gone for good; stays: it is as it was; held: somebody else has it just now; gone: it is no dead letter any more.',
    ),
  why: z.string().nullable().describe('Why it stays, in a sentence.'),
  applied: count.nullable(),
  superseded: count.nullable(),
  ignored: count.nullable(),
  looks: count.nullable(),
});
export type DeadletterOutcome = z.output<typeof deadletterOutcome>;
