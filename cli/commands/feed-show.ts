import { IsthmusError } from '../../schema/errors.ts';
import type { Call } from '../call.ts';
import type { ExitCode } from '../exit-codes.ts';

export async function feedShow(_call: Call): Promise<ExitCode> {
  throw new IsthmusError('ISTHMUS_USAGE', 'isthmus feed show is not made yet.');
}
