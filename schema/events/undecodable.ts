/** Why a message can never be applied. Operators filter the dead-letter queue by these words. */
export type UndecodableReason =
  | 'not-json'
  | 'not-an-event'
  | 'unknown-type'
  | 'bad-event'
  | 'unstorable-name'
  | 'unknown-account';

/** Of what was found: it may be as long as the message, and is kept with each letter, in the journal and in the log. */
const LONGEST = 2_000;

/**
 * A message that no retry will mend. It is dead-lettered with the reason; the message of the error names the field, and
 * is cut where it is long.
 */
export class UndecodableError extends Error {
  readonly reason: UndecodableReason;

  constructor(reason: UndecodableReason, message: string, options?: { cause?: unknown }) {
    super(message.length > LONGEST ? `${message.slice(0, LONGEST)}…` : message, options);
    this.name = 'UndecodableError';
    this.reason = reason;
  }
}
