import { IsthmusError } from '../../schema/errors.ts';
import type { Call } from '../call.ts';
import type { ExitCode } from '../exit-codes.ts';

export async function feedDump(_options: unknown, _call: Call): Promise<ExitCode> {
  throw new IsthmusError('ISTHMUS_USAGE', 'isthmus feed dump is not made yet.');
}
