import { ensureError, IsthmusError } from '../../../schema/errors.ts';
import { errorCode } from './files.ts';

/** What a file system says of a name or a length that it cannot hold, whatever else it is asked. */
const CANNOT_HOLD: Readonly<Record<string, string>> = {
  ENAMETOOLONG: 'the name is too long for this file system',
  EILSEQ: 'the name holds bytes that this file system refuses',
  EINVAL: 'the name or the length is nothing that this file system takes',
  EFBIG: 'the length is more than this file system holds in one file',
};

/** Why this file system can never hold what was asked; undefined where the error is of another kind. */
export function cannotHold(error: unknown): string | undefined {
  return CANNOT_HOLD[errorCode(error) ?? ''];
}

/** Wraps what the file system threw; the message names the path. */
export function sinkError(what: string, cause: unknown): IsthmusError {
  return new IsthmusError('ISTHMUS_SINK', `${what}: ${ensureError(cause).message}`, { cause });
}
