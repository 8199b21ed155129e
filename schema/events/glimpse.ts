/** What can be read of a message at a glance, whether or not it can be decoded. */
export interface Glimpse {
  /** Of its first event. */
  readonly type: string | undefined;
  readonly subject: string | undefined;
  readonly deliveryAttempts: number | undefined;
  /** How many events it holds; undefined where it is no JSON. */
  readonly events: number | undefined;
}

const NOTHING: Glimpse = { type: undefined, subject: undefined, deliveryAttempts: undefined, events: undefined };

/** Never fails: it is for showing what could not be decoded. */
export function glimpse(body: unknown): Glimpse {
  let value = body;
  if (typeof body === 'string' || body instanceof Uint8Array) {
    try {
      value = JSON.parse(typeof body === 'string' ? body : Buffer.from(body).toString('utf8'));
    } catch {
      return NOTHING;
    }
  }
  const events: readonly unknown[] = Array.isArray(value) ? value : [value];
  const [first] = events;
  const fields = typeof first === 'object' && first !== null ? (first as Readonly<Record<string, unknown>>) : {};
  const attempts = fields.deliveryAttempts ?? fields.deliveryattempts;
  return {
    type: textOf(fields.eventType ?? fields.type),
    subject: textOf(fields.subject),
    deliveryAttempts: typeof attempts === 'number' ? attempts : undefined,
    events: events.length,
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
