import { answerWithin } from '../../activities/observability/answer-within.ts';

/** Who does not answer in this time has not answered: a healthy service needs less than a second. */
export const ANSWER_MS = 10_000;

/** What all checks are given. */
export interface Asking {
  readonly signal: AbortSignal;
  /** Told what is being asked, before it is. */
  readonly onAsk: (what: string) => void;
  /** @default ANSWER_MS */
  readonly answerMs?: number | undefined;
}

export type Asked<T> =
  | { readonly answered: true; readonly answer: T }
  | { readonly answered: false; readonly error: unknown };

/** Puts one question to the outside, for a bounded time. @throws only the signal's reason. */
export async function ask<T>(
  { signal, onAsk, answerMs = ANSWER_MS }: Asking,
  who: string,
  question: (signal: AbortSignal) => Promise<T>,
): Promise<Asked<T>> {
  onAsk(who);
  try {
    return { answered: true, answer: await answerWithin(answerMs, who, signal, question) };
  } catch (error) {
    signal.throwIfAborted();
    return { answered: false, error };
  }
}
