/**
 * What the runtime does next with an error. `retry`: the same call again, later. `pause`: the loop stops,
 * says why and waits for an operator. `give-up`: this request ends, nothing of it is half-done.
 */
export type Consequence = 'retry' | 'pause' | 'give-up';

/** Stable codes; operators search for them. Each is documented where it is listed. */
export const ERROR_CODES = {
  /** The federation file cannot be read or does not hold what it must; line, column and what was expected are in the message. Mend the file. */
  ISTHMUS_CONFIG: 'give-up',
  /** A port of the embedded stack, or of a worker's metrics, is taken by another process. Stop it or pass another port. */
  ISTHMUS_PORT_IN_USE: 'give-up',
  /** No Temporal server could be had; the message says what was tried and what to install. */
  ISTHMUS_NO_TEMPORAL: 'give-up',
  /** Nothing answers at the Postgres URL, or it refuses. The loop tries again. */
  ISTHMUS_INDEX_UNAVAILABLE: 'retry',
  /** The authority rules moved while a page was under way: read them again and apply the page anew. */
  ISTHMUS_RULES_MOVED: 'retry',
  /** The Blob, Service Bus or Temporal endpoint does not answer, or throttles. The loop tries again. */
  ISTHMUS_SOURCE_UNAVAILABLE: 'retry',
  /** There is no Change Feed to read: not enabled, no permission, or the account kind has none. Triggers and inventory go on. */
  ISTHMUS_FEED_UNAVAILABLE: 'pause',
  /** A feed file is damaged in its middle; the message names path and offset. The account's feed pauses. */
  ISTHMUS_FEED_CORRUPT: 'pause',
  /** The cursor points into a chunk that retention has removed: records are missing and a reconcile heals them. */
  ISTHMUS_FEED_GAP: 'pause',
  /** The blob changed while it was read: start again on its new version. */
  ISTHMUS_SOURCE_CHANGED: 'retry',
  /** An inventory report cannot be trusted (not succeeded, checksum, count, unreadable): nothing is concluded from it. */
  ISTHMUS_REPORT_REJECTED: 'give-up',
  /** A reconcile would delete more than its guard allows: nothing is deleted, an operator decides. */
  ISTHMUS_GUARD_TRIPPED: 'pause',
  /** Another worker has gone on with the same reconcile: it is taken up where it stands now. */
  ISTHMUS_RUN_MOVED: 'retry',
  /** The sink refuses or cannot hold what is asked. The one name backs off; the others go on. */
  ISTHMUS_SINK: 'retry',
  /** An input of a command or a workflow is wrong; the message says which and what was expected. */
  ISTHMUS_USAGE: 'give-up',
  /** A bug in Isthmus: something that must hold did not. */
  ISTHMUS_ASSERTION: 'pause',
} as const satisfies Record<string, Consequence>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error with a stable code. The message says what happened, to which name, and what to do next. */
export class IsthmusError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = code;
    this.code = code;
  }

  get consequence(): Consequence {
    return ERROR_CODES[this.code];
  }
}

/** Whether this is an error of ours with this code, across module copies. */
export function hasCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Turns whatever was thrown into an Error, which says why in the words of `messageOf`. */
export function ensureError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(messageOf(thrown));
}

/** Azure ends a message with what tells one attempt from another. */
const ONE_ATTEMPT = /\s*\b(?:Reference|TrackingId)\s*:.*$/s;

/** Errors inside errors that are looked into: one may be its own cause. */
const DEEPEST = 5;

/**
 * Why something failed, in words and never in none. A client that tried several times, or several addresses, throws an
 * error that has theirs inside, and itself says no more than that all failed: each different one is told once. What
 * else has no message is told by its code, AMQP's condition, its cause, or its name.
 */
export function messageOf(thrown: unknown): string {
  return messageWithin(thrown, DEEPEST);
}

function messageWithin(thrown: unknown, depth: number): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown);
  const { message, description, code, condition, cause, name, errors } = thrown as Readonly<Record<string, unknown>>;
  const said = [message, description].find(isWord);
  // Of other errors that have some inside, the message tells of them already.
  if (said !== undefined && !(thrown instanceof AggregateError)) return said;
  if (depth > 0 && Array.isArray(errors) && errors.length > 0) {
    const texts = errors.map((error) => messageWithin(error, depth - 1));
    const each = [...new Map(texts.map((text) => [text.replace(ONE_ATTEMPT, ''), text])).values()].join('; ');
    return said === undefined ? each : `${said}: ${each}`;
  }
  const word = [said, code, condition].find(isWord);
  if (word !== undefined) return word;
  if (depth > 0 && cause !== undefined) return messageWithin(cause, depth - 1);
  return isWord(name) ? name : String(thrown);
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Fails with `ISTHMUS_ASSERTION` where something that must hold does not. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new IsthmusError('ISTHMUS_ASSERTION', message);
}
