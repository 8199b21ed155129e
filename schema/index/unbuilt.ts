import { IsthmusError } from '../errors.ts';

export function unbuilt(what: string): never {
  throw new IsthmusError('ISTHMUS_ASSERTION', `${what} is not built yet`);
}
