/** Why a message can never be applied. Operators filter the dead-letter queue by these words. */
export type UndecodableReason =
  | 'not-json'
  | 'not-an-event'
  | 'unknown-type'
  | 'bad-event'
  | 'unstorable-name'
  | 'unknown-account';

/** A message that no retry will mend. It is dead-lettered with the reason; the message of the error names the field. */
export class UndecodableError extends Error {
  readonly reason: UndecodableReason;

  constructor(reason: UndecodableReason, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'UndecodableError';
    this.reason = reason;
  }
}
