import { ensureError, IsthmusError, messageOf } from '../schema/errors.ts';
import { FeedCorruptError, FeedGapError } from '../schema/feed/feed-error.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { printable } from './terminal.ts';

/** Postgres' word for a table that is not there: no worker has prepared the index. */
export const NO_TABLES = '42P01';

/** Where nothing better is known, what an operator does next. */
const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there: start it, or correct the address.',
  ENOTFOUND: 'No such host: correct the address.',
  ETIMEDOUT: 'It does not answer: check the network and the address.',
  [NO_TABLES]: 'The index has no tables yet: `isthmus worker` makes them when it starts.',
  '28P01': 'Postgres refuses the password: correct DATABASE_URL.',
  '3D000': 'There is no such database: create it, or correct DATABASE_URL.',
};

/** An error as one block for people: its code, what happened to which name, and what to do; no control characters of a name. */
export function formatFailure(thrown: unknown): string {
  const error = ensureError(thrown);
  // What a feed holds is a stranger's: lines are no more than another control character in it.
  if (error instanceof FeedCorruptError || error instanceof FeedGapError) return printable(failureText(error));
  return failureText(error).split('\n').map(printable).join('\n');
}

function failureText(error: Error): string {
  if (error instanceof IsthmusError) return `${error.code}: ${error.message}`;
  const code = codeOf(error);
  const advice = code === undefined ? undefined : ADVICE[code];
  const head = `isthmus failed: ${messageOf(error)}${code === undefined ? '' : ` (${code})`}`;
  const lines = [head, ...(advice === undefined ? [] : [advice])];
  if (process.env.ISTHMUS_DEBUG) lines.push(error.stack ?? '');
  else if (advice === undefined) lines.push('Set ISTHMUS_DEBUG=1 to see where.');
  return lines.join('\n');
}

export function exitCodeOf(thrown: unknown): ExitCode {
  if (!(thrown instanceof IsthmusError)) return EXIT.failed;
  return thrown.code === 'ISTHMUS_USAGE' || thrown.code === 'ISTHMUS_CONFIG' ? EXIT.wrongUse : EXIT.failed;
}

/** Errors inside errors that are looked into: one may be its own cause. */
const DEEPEST = 5;

/** Node's and Postgres' errors carry a code; a connection tried on several addresses carries one for each. */
export function codeOf(error: unknown, depth = DEEPEST): string | undefined {
  if (!(error instanceof Error) || depth === 0) return undefined;
  if (error instanceof AggregateError) return codeOf(error.errors[0], depth - 1);
  if ('code' in error && typeof error.code === 'string') return error.code;
  return codeOf(error.cause, depth - 1);
}
