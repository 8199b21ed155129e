import { IsthmusError } from '../errors.ts';

/** A feed file is damaged where it must be whole. Names the path and the byte, so that it can be looked at. */
export function corrupt(path: string, offset: number, why: string, cause?: unknown): IsthmusError {
  return new IsthmusError('ISTHMUS_FEED_CORRUPT', `${path} at byte ${offset}: ${why}`, { cause });
}
