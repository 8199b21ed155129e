import { z } from 'zod';
import { problemsOf } from '../expected.ts';
import { UndecodableError } from './undecodable.ts';

/** What the two schemas of Event Grid say alike. */
export interface Envelope {
  readonly id: string;
  readonly type: string;
  readonly time: string;
  readonly subject: string;
  /** The resource that speaks: `/subscriptions/.../storageAccounts/NAME`. */
  readonly source: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const data = z.record(z.string(), z.unknown());
const text = z.string().min(1);

const eventGrid = z.object({ id: text, eventType: text, eventTime: text, subject: z.string(), topic: text, data });
/** The specification writes `specversion`, the published examples `specVersion`: neither is asked for. */
const cloudEvent = z.object({ id: text, type: text, time: text, subject: z.string(), source: text, data });

/** Reads the envelope of one event, in the Event Grid or the CloudEvents schema. */
export function readEnvelope(value: unknown): Envelope {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UndecodableError('not-an-event', `expected an event object, found ${describe(value)}`);
  }
  if ('eventType' in value) {
    const { eventType, eventTime, topic, ...rest } = check(eventGrid, value, 'bad-event');
    return { ...rest, type: eventType, time: eventTime, source: topic };
  }
  if ('type' in value) return check(cloudEvent, value, 'bad-event');
  throw new UndecodableError('not-an-event', 'the object has neither eventType (Event Grid) nor type (CloudEvents)');
}

/** Checks a part of an event; the error names each field and what was expected of it. */
export function check<T extends z.ZodType>(schema: T, value: unknown, reason: 'bad-event', at = ''): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new UndecodableError(reason, problemsOf(result.error, value, at).join('; '), { cause: result.error });
}

function describe(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
